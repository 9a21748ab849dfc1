"""Appeals against a health code's colour, and corrections by two persons"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "health_code_appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'proposed', 'corrected', 'refused')", name=op.f("ck_health_code_appeal_state")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_health_code_appeal_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["identity_staff.id"], name=op.f("fk_health_code_appeal_answered_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_code_appeal")),
    )
    op.create_index(
        "uq_health_code_appeal_waiting",
        "health_code_appeal",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'proposed')"),
    )
    op.create_index("ix_health_code_appeal_person_id", "health_code_appeal", ["person_id", "id"])
    op.create_index("ix_health_code_appeal_state", "health_code_appeal", ["state", "id"])
    op.create_table(
        "health_code_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("aside", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("colour IN ('green', 'yellow', 'red')", name=op.f("ck_health_code_change_colour")),
        sa.CheckConstraint(
            "state IN ('proposed', 'confirmed', 'returned')", name=op.f("ck_health_code_change_state")
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR decided_by <> proposed_by",
            name=op.f("ck_health_code_change_two_persons"),
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL)", name=op.f("ck_health_code_change_decided")
        ),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["health_code_appeal.id"], name=op.f("fk_health_code_change_appeal_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_health_code_change_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["identity_staff.id"], name=op.f("fk_health_code_change_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["identity_staff.id"], name=op.f("fk_health_code_change_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_code_change")),
    )
    op.create_index(
        "uq_health_code_change_proposed",
        "health_code_change",
        ["appeal_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index("ix_health_code_change_person_id", "health_code_change", ["person_id", "state"])


def downgrade() -> None:
    op.drop_table("health_code_change")
    op.drop_table("health_code_appeal")
