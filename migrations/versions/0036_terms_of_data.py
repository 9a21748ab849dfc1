"""What was deleted when its time was over, and how what is due is found"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "retention_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("gone", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=True),
        sa.Column("oldest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed", sa.Text(), nullable=True),
        sa.CheckConstraint("gone >= 0", name=op.f("ck_retention_run_gone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_run")),
    )
    op.create_index("ix_retention_run_data_class", "retention_run", ["data_class", "id"])
    op.create_index(
        "uq_retention_run_open",
        "retention_run",
        ["data_class"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_message_done_at",
        "outbox_message",
        ["done_at"],
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_index("ix_cases_case_draft", "cases_case", ["id"], postgresql_where=sa.text("number IS NULL"))
    op.create_index("ix_health_code_declaration_at", "health_code_declaration", ["at"])
    op.create_index("ix_duty_free_order_settled_at", "duty_free_order", ["settled_at"])


def downgrade() -> None:
    op.drop_index("ix_duty_free_order_settled_at", "duty_free_order")
    op.drop_index("ix_health_code_declaration_at", "health_code_declaration")
    op.drop_index("ix_cases_case_draft", "cases_case")
    op.drop_index("ix_outbox_message_done_at", "outbox_message")
    op.drop_table("retention_run")
