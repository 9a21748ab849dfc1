"""Whose health codes a guardian shows"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "health_code_guardian",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["identity_person.id"],
            name=op.f("fk_health_code_guardian_person_id_identity_person"),
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"],
            ["identity_person.id"],
            name=op.f("fk_health_code_guardian_guardian_id_identity_person"),
        ),
        sa.PrimaryKeyConstraint("person_id", "guardian_id", name=op.f("pk_health_code_guardian")),
    )
    op.create_index("ix_health_code_guardian_guardian_id", "health_code_guardian", ["guardian_id"])


def downgrade() -> None:
    op.drop_table("health_code_guardian")
