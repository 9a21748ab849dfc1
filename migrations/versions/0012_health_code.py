"""Health code"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "health_code_status",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("golden", sa.Boolean(), nullable=False),
        sa.Column("reminder", sa.Boolean(), nullable=False),
        sa.Column("negative_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "colour IN ('green', 'yellow', 'red', 'grey')", name=op.f("ck_health_code_status_colour")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_health_code_status_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_health_code_status")),
        postgresql_with={"fillfactor": "90"},
    )
    op.create_table(
        "health_code_declaration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_health_code_declaration_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_code_declaration")),
    )
    op.create_index("ix_health_code_declaration_person_id_at", "health_code_declaration", ["person_id", "at"])


def downgrade() -> None:
    op.drop_table("health_code_declaration")
    op.drop_table("health_code_status")
