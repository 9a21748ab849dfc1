"""What the registers said of somebody that day, so that other rules are tried on it without asking again"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("health_code_status", sa.Column("facts_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("health_code_status", "facts_sealed")
