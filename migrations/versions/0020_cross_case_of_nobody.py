"""A cross-province case that names nobody is returned, and no person is made up for it"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.alter_column("cross_province_case", "person_id", nullable=True)


def downgrade() -> None:
    op.execute(
        "DELETE FROM cross_province_step WHERE case_id IN (SELECT id FROM cross_province_case WHERE person_id IS NULL)"
    )
    op.execute(
        "DELETE FROM cross_province_alert WHERE case_id IN (SELECT id FROM cross_province_case WHERE person_id IS NULL)"
    )
    op.execute(
        "DELETE FROM cross_province_outgoing WHERE case_id IN (SELECT id FROM cross_province_case WHERE person_id IS NULL)"
    )
    op.execute("DELETE FROM cross_province_case WHERE person_id IS NULL")
    op.alter_column("cross_province_case", "person_id", nullable=False)
