"""Identity: one-time tickets from the WeChat shell to the page inside it"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "identity_wechat_ticket",
        sa.Column("ticket_hash", sa.LargeBinary(), nullable=False),
        sa.Column("wechat_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("ticket_hash", name=op.f("pk_identity_wechat_ticket")),
    )
    op.create_index(
        "ix_identity_wechat_ticket_created_at", "identity_wechat_ticket", ["created_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_identity_wechat_ticket_created_at", table_name="identity_wechat_ticket")
    op.drop_table("identity_wechat_ticket")
