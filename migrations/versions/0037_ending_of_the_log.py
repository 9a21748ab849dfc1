"""When a pseudonym and a verification are deleted: since when an account is closed, and how what is due is found"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("audit_subject", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    # Who closed their account before and has not come back: from then on.
    op.execute(
        "UPDATE audit_subject AS s SET retired_at = r.at FROM audit_record AS r"
        " WHERE r.action = 'me.delete' AND r.outcome = 'done' AND r.subject = s.pseudonym"
        " AND NOT EXISTS (SELECT FROM identity_account AS a WHERE a.person_id = s.person_id)"
    )
    op.create_index(
        "ix_audit_subject_retired_at",
        "audit_subject",
        ["retired_at"],
        postgresql_where=sa.text("retired_at IS NOT NULL"),
    )
    op.create_index("ix_codes_verification_at", "codes_verification", ["at"])
    op.create_index("ix_codes_offline_batch_received_at", "codes_offline_batch", ["received_at"])


def downgrade() -> None:
    op.drop_index("ix_codes_offline_batch_received_at", "codes_offline_batch")
    op.drop_index("ix_codes_verification_at", "codes_verification")
    op.drop_index("ix_audit_subject_retired_at", "audit_subject")
    op.drop_column("audit_subject", "retired_at")
