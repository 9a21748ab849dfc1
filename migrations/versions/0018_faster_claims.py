"""The same decision on a batch of claims, in fewer looks and by plans that stay good as the tables grow"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute((HERE / "0018_claim_batch.sql").read_text())


def downgrade() -> None:
    op.execute((HERE / "0015_claim_batch.sql").read_text())
