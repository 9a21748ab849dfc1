"""Who was told what a member of staff signs in with"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("identity_staff", sa.Column("password_told_to", sa.Uuid(), nullable=True))
    op.add_column("identity_staff", sa.Column("otp_told_to", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("identity_staff", "otp_told_to")
    op.drop_column("identity_staff", "password_told_to")
