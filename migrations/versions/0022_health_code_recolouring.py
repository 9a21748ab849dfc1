"""Runs through everybody's health code after the rules changed"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "health_code_recolouring",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("unanswered", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'stopped', 'finished', 'superseded')",
            name=op.f("ck_health_code_recolouring_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_code_recolouring")),
    )
    op.create_index(
        "uq_health_code_recolouring_under_way",
        "health_code_recolouring",
        [sa.text("(true)")],
        unique=True,
        postgresql_where=sa.text("state IN ('running', 'stopped')"),
    )


def downgrade() -> None:
    op.drop_table("health_code_recolouring")
