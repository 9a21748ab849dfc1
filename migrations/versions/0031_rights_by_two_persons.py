"""Rights of staff that wait for a second operator"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("identity_staff", sa.Column("change", postgresql.JSONB(), nullable=True))
    op.add_column("identity_staff", sa.Column("change_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("identity_staff", "change_by")
    op.drop_column("identity_staff", "change")
