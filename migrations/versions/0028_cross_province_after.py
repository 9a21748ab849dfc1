"""What becomes of a certificate of another province after its issue, and who acts for the applicant there"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("cross_province_case", sa.Column("certificate_id", sa.Uuid(), nullable=True))
    op.add_column("cross_province_case", sa.Column("certificate_status", sa.Text(), nullable=True))
    op.add_column(
        "cross_province_case", sa.Column("certificate_news_sealed", sa.LargeBinary(), nullable=True)
    )
    op.add_column("cross_province_case", sa.Column("delegation_id", sa.Uuid(), nullable=True))
    op.add_column("cross_province_case", sa.Column("agent_sealed", sa.LargeBinary(), nullable=True))
    op.create_foreign_key(
        op.f("fk_cross_province_case_delegation_id_delegations_delegation"),
        "cross_province_case",
        "delegations_delegation",
        ["delegation_id"],
        ["id"],
    )
    op.create_index(
        "ix_cross_province_case_certificate_id",
        "cross_province_case",
        ["certificate_id"],
        postgresql_where=sa.text("certificate_id IS NOT NULL"),
    )
    op.create_index(
        "ix_cross_province_case_delegation_id",
        "cross_province_case",
        ["delegation_id", "id"],
        postgresql_where=sa.text("delegation_id IS NOT NULL"),
    )
    # What was issued before there were such messages is told of from now on.
    op.execute(
        "UPDATE cross_province_case x SET certificate_id = c.id, certificate_status = 'valid' "
        "FROM certificates_certificate c WHERE x.side = 'handling' AND x.outcome = 'approved' "
        "AND c.case_id = x.case_id AND c.version = 1"
    )
    op.execute(
        "UPDATE cross_province_case SET certificate_status = 'valid' "
        "WHERE side = 'receiving' AND certificate_sealed IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_cross_province_case_delegation_id", "cross_province_case")
    op.drop_index("ix_cross_province_case_certificate_id", "cross_province_case")
    for column in (
        "agent_sealed",
        "delegation_id",
        "certificate_news_sealed",
        "certificate_status",
        "certificate_id",
    ):
        op.drop_column("cross_province_case", column)
