"""Campaigns that take a second person to be opened"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "duty_free_campaign", sa.Column("four_eyes", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column("duty_free_campaign", sa.Column("opening_asked_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("duty_free_campaign", "opening_asked_by")
    op.drop_column("duty_free_campaign", "four_eyes")
