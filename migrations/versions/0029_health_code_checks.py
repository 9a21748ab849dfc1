"""Check records of health codes; the software that terminals report; who has a run of new colours"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("verifiers_terminal", sa.Column("software_version", sa.Text(), nullable=True))
    op.create_table(
        "health_code_check",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("terminal_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("is_offline", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "colour IN ('green', 'yellow', 'red', 'grey')", name=op.f("ck_health_code_check_colour")
        ),
        sa.CheckConstraint("outcome IN ('valid', 'denied')", name=op.f("ck_health_code_check_outcome")),
        sa.PrimaryKeyConstraint("person_id", "minute", "terminal_id", name=op.f("pk_health_code_check")),
    )
    op.add_column(
        "health_code_recolouring", sa.Column("taken_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.alter_column("health_code_recolouring", "total", nullable=True)
    op.create_index("ix_health_code_check_at", "health_code_check", ["at"])


def downgrade() -> None:
    op.execute("UPDATE health_code_recolouring SET total = 0 WHERE total IS NULL")
    op.alter_column("health_code_recolouring", "total", nullable=False)
    op.drop_column("health_code_recolouring", "taken_until")
    op.drop_table("health_code_check")
    op.drop_column("verifiers_terminal", "software_version")
