"""Voucher codes, shops that redeem them, refunds and what is owed to the shops; terms of campaigns"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

HERE = Path(__file__).parent


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # What is there already stays as it was: open campaigns for everybody at L3, one voucher an order.
    for name, kind, was in (
        ("state", sa.Text(), "'open'"),
        ("min_level", sa.Text(), "'L3'"),
        ("for_visitors", sa.Boolean(), "true"),
        ("stack_most", sa.BigInteger(), "1"),
    ):
        op.add_column(
            "duty_free_campaign", sa.Column(name, kind, nullable=False, server_default=sa.text(was))
        )
        op.alter_column("duty_free_campaign", name, server_default=None)
    op.create_check_constraint(
        op.f("ck_duty_free_campaign_state"),
        "duty_free_campaign",
        "state IN ('draft', 'open', 'paused', 'closed')",
    )
    op.create_check_constraint(
        op.f("ck_duty_free_campaign_min_level"), "duty_free_campaign", "min_level IN ('L2', 'L3')"
    )
    op.create_check_constraint(
        op.f("ck_duty_free_campaign_stack_most"), "duty_free_campaign", "stack_most > 0"
    )
    op.add_column(
        "duty_free_voucher",
        sa.Column("ref", sa.BigInteger(), sa.Identity(always=True, maxvalue=2**40 - 1), nullable=False),
    )
    op.create_unique_constraint(op.f("uq_duty_free_voucher_ref"), "duty_free_voucher", ["ref"])
    op.add_column(
        "duty_free_voucher",
        sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'claimed'")),
    )
    op.alter_column("duty_free_voucher", "state", server_default=None)
    op.create_check_constraint(
        op.f("ck_duty_free_voucher_state"),
        "duty_free_voucher",
        "state IN ('claimed', 'redeemed', 'expired', 'returned')",
    )
    op.create_index(
        "ix_duty_free_voucher_expiring",
        "duty_free_voucher",
        ["valid_until"],
        unique=False,
        postgresql_where="state = 'claimed'",
    )
    _create_shops()
    _create_redemptions()
    op.execute((HERE / "0015_claim_batch.sql").read_text())


def _create_shops() -> None:
    op.create_table(
        "duty_free_campaign_shop",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["duty_free_campaign.id"], name=op.f("fk_duty_free_campaign_shop_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["verifiers_verifier.id"], name=op.f("fk_duty_free_campaign_shop_merchant_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "merchant_id", name=op.f("pk_duty_free_campaign_shop")),
    )


def _create_redemptions() -> None:
    op.create_table(
        "duty_free_redemption",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("order_amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('redeemed', 'reversed', 'refunded')", name=op.f("ck_duty_free_redemption_state")
        ),
        sa.CheckConstraint(
            "(state = 'redeemed') = (settled_at IS NULL)", name=op.f("ck_duty_free_redemption_settled")
        ),
        sa.CheckConstraint(
            "face_fen > 0 AND face_fen <= order_amount_fen", name=op.f("ck_duty_free_redemption_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["duty_free_voucher.id"], name=op.f("fk_duty_free_redemption_voucher_id")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["verifiers_verifier.id"], name=op.f("fk_duty_free_redemption_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_redemption")),
    )
    op.create_index(
        "uq_duty_free_redemption_voucher",
        "duty_free_redemption",
        ["voucher_id"],
        unique=True,
        postgresql_where="state = 'redeemed'",
    )
    op.create_index(
        "ix_duty_free_redemption_order", "duty_free_redemption", ["merchant_id", "order_number"], unique=False
    )
    op.create_table(
        "duty_free_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("refund_number", sa.Text(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("voucher_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "goods_fen > 0 AND paid_fen >= 0 AND voucher_fen >= 0", name=op.f("ck_duty_free_refund_amounts")
        ),
        sa.CheckConstraint("paid_fen + voucher_fen = goods_fen", name=op.f("ck_duty_free_refund_shares")),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["verifiers_verifier.id"], name=op.f("fk_duty_free_refund_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_refund")),
        sa.UniqueConstraint(
            "merchant_id", "refund_number", name=op.f("uq_duty_free_refund_merchant_id_refund_number")
        ),
    )
    op.create_index(
        "ix_duty_free_refund_order", "duty_free_refund", ["merchant_id", "order_number"], unique=False
    )
    op.create_table(
        "duty_free_settlement_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('redemption', 'reversal', 'refund')", name=op.f("ck_duty_free_settlement_entry_kind")
        ),
        sa.CheckConstraint(
            "(kind = 'refund') = (refund_id IS NOT NULL)", name=op.f("ck_duty_free_settlement_entry_refund")
        ),
        sa.CheckConstraint(
            "(kind = 'redemption') = (amount_fen > 0)", name=op.f("ck_duty_free_settlement_entry_sign")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["verifiers_verifier.id"], name=op.f("fk_duty_free_settlement_entry_merchant_id")
        ),
        sa.ForeignKeyConstraint(
            ["redemption_id"],
            ["duty_free_redemption.id"],
            name=op.f("fk_duty_free_settlement_entry_redemption_id"),
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["duty_free_refund.id"], name=op.f("fk_duty_free_settlement_entry_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_settlement_entry")),
        sa.UniqueConstraint(
            "redemption_id",
            "kind",
            "refund_id",
            name=op.f("uq_duty_free_settlement_entry_redemption_id_kind_refund_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_duty_free_settlement_entry_day",
        "duty_free_settlement_entry",
        ["merchant_id", "day", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION duty_free_claim_batch")
    for table in (
        "duty_free_settlement_entry",
        "duty_free_refund",
        "duty_free_redemption",
        "duty_free_campaign_shop",
    ):
        op.drop_table(table)
    op.drop_index("ix_duty_free_voucher_expiring", table_name="duty_free_voucher")
    for name in ("state", "ref"):
        op.drop_column("duty_free_voucher", name)
    for name in ("stack_most", "for_visitors", "min_level", "state"):
        op.drop_column("duty_free_campaign", name)
    op.execute((HERE / "0014_claim_batch.sql").read_text())
