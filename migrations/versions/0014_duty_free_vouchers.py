"""Voucher campaigns, and the function by which a batch of claims is decided"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FUNCTION = Path(__file__).parent / "0014_claim_batch.sql"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "duty_free_campaign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("threshold_fen", sa.BigInteger(), nullable=False),
        sa.Column("stock", sa.BigInteger(), nullable=False),
        sa.Column("stock_left", sa.BigInteger(), nullable=False),
        sa.Column("stock_day", sa.BigInteger(), nullable=True),
        sa.Column("per_person", sa.BigInteger(), nullable=False),
        sa.Column("per_person_day", sa.BigInteger(), nullable=False),
        sa.Column("valid_hours", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_duty_free_campaign_window")),
        sa.CheckConstraint(
            "face_fen > 0 AND face_fen <= threshold_fen", name=op.f("ck_duty_free_campaign_amounts")
        ),
        sa.CheckConstraint(
            "stock_left >= 0 AND stock_left <= stock", name=op.f("ck_duty_free_campaign_stock")
        ),
        sa.CheckConstraint(
            "per_person > 0 AND per_person_day > 0 AND stock_day >= 0",
            name=op.f("ck_duty_free_campaign_limits"),
        ),
        sa.CheckConstraint("valid_hours > 0", name=op.f("ck_duty_free_campaign_valid_hours")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_duty_free_campaign_code")),
    )
    op.create_table(
        "duty_free_campaign_day",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("claimed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("claimed >= 0", name=op.f("ck_duty_free_campaign_day_not_negative")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["duty_free_campaign.id"], name=op.f("fk_duty_free_campaign_day_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "day", name=op.f("pk_duty_free_campaign_day")),
    )
    op.create_table(
        "duty_free_voucher",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("request_key", sa.LargeBinary(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("threshold_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slot > 0", name=op.f("ck_duty_free_voucher_slot")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["duty_free_campaign.id"], name=op.f("fk_duty_free_voucher_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_duty_free_voucher_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_voucher")),
        sa.UniqueConstraint(
            "campaign_id", "person_id", "slot", name=op.f("uq_duty_free_voucher_campaign_id_person_id_slot")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_duty_free_voucher_number")),
        sa.UniqueConstraint("request_key", name=op.f("uq_duty_free_voucher_request_key")),
    )
    op.create_index("ix_duty_free_voucher_person", "duty_free_voucher", ["person_id", "id"], unique=False)
    op.execute(FUNCTION.read_text())


def downgrade() -> None:
    op.execute("DROP FUNCTION duty_free_claim_batch")
    op.drop_index("ix_duty_free_voucher_person", table_name="duty_free_voucher")
    op.drop_table("duty_free_voucher")
    op.drop_table("duty_free_campaign_day")
    op.drop_table("duty_free_campaign")
