"""Indexes by the day, so that a day's settlement is read without all days before it"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "ix_duty_free_redemption_day", "duty_free_redemption", ["day", "merchant_id"], unique=False
    )
    op.create_index("ix_duty_free_refund_at", "duty_free_refund", ["at", "merchant_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_duty_free_refund_at", table_name="duty_free_refund")
    op.drop_index("ix_duty_free_redemption_day", table_name="duty_free_redemption")
