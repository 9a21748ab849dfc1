"""Hours at vaccination sites, and appointments in them"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "health_code_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.Text(), nullable=False),
        sa.Column("site_zh", sa.Text(), nullable=False),
        sa.Column("site_en", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("booked BETWEEN 0 AND capacity", name=op.f("ck_health_code_slot_booked")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_health_code_slot_hours")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_code_slot")),
    )
    op.create_index("ix_health_code_slot_division_starts_at", "health_code_slot", ["division", "starts_at"])
    op.create_table(
        "health_code_appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('booked', 'cancelled', 'over')", name=op.f("ck_health_code_appointment_state")
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["health_code_slot.id"], name=op.f("fk_health_code_appointment_slot_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_health_code_appointment_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_code_appointment")),
    )
    op.create_index(
        "uq_health_code_appointment_booked",
        "health_code_appointment",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'booked'"),
    )
    op.create_index("ix_health_code_appointment_person_id", "health_code_appointment", ["person_id", "id"])


def downgrade() -> None:
    op.drop_table("health_code_appointment")
    op.drop_table("health_code_slot")
