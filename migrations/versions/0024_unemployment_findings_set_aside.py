"""Unemployment: findings that a clerk has set aside"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("unemployment_grant", sa.Column("set_aside", sa.Text(), nullable=True))
    op.add_column("unemployment_grant", sa.Column("set_aside_since", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("unemployment_grant", "set_aside_since")
    op.drop_column("unemployment_grant", "set_aside")
