"""The hall: how many of what, when and where"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "hall_count",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("division", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("seconds IN (60, 3600, 86400)", name=op.f("ck_hall_count_seconds")),
        sa.CheckConstraint("count > 0", name=op.f("ck_hall_count_positive")),
        sa.PrimaryKeyConstraint("since", "seconds", "name", "division", "matter", name=op.f("pk_hall_count")),
    )
    op.create_table(
        "hall_board",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_hall_board_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hall_board")),
    )


def downgrade() -> None:
    op.drop_table("hall_board")
    op.drop_table("hall_count")
