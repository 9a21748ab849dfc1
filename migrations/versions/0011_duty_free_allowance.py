"""The duty-free allowance: quotas, orders, checks at the counter, parcels"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "duty_free_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.BigInteger(), sa.Identity(always=True, maxvalue=1099511627775), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_name", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("purchased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("pick_up", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("free_fen", sa.BigInteger(), nullable=False),
        sa.Column("excess_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=True),
        sa.Column("rules_from", sa.Date(), nullable=False),
        sa.Column("departs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trip_index", sa.LargeBinary(), nullable=False),
        sa.Column("collect_by", sa.Date(), nullable=True),
        sa.Column("leave_by", sa.Date(), nullable=True),
        sa.Column("basket_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(pick_up IN ('guaranteed', 'immediate')) = (collect_by IS NULL)",
            name=op.f("ck_duty_free_order_collect_by"),
        ),
        sa.CheckConstraint(
            "(state = 'reserved') = (settled_at IS NULL)", name=op.f("ck_duty_free_order_settled")
        ),
        sa.CheckConstraint(
            "pick_up IN ('isolation_area', 'airport_shop', 'mail', 'on_return', 'guaranteed', 'immediate')",
            name=op.f("ck_duty_free_order_pick_up"),
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'picked_up', 'refunded', 'no_show')", name=op.f("ck_duty_free_order_state")
        ),
        sa.CheckConstraint(
            "free_fen >= 0 AND excess_fen >= 0 AND free_fen + excess_fen = total_fen",
            name=op.f("ck_duty_free_order_amounts"),
        ),
        sa.CheckConstraint("tax_fen >= 0 AND tax_fen <= excess_fen", name=op.f("ck_duty_free_order_tax")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_duty_free_order_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_order")),
        sa.UniqueConstraint(
            "merchant_id", "order_number", name=op.f("uq_duty_free_order_merchant_id_order_number")
        ),
        sa.UniqueConstraint("ref", name=op.f("uq_duty_free_order_ref")),
    )
    op.create_index(
        "ix_duty_free_order_collect_by",
        "duty_free_order",
        ["collect_by"],
        unique=False,
        postgresql_where="state = 'reserved'",
    )
    op.create_index("ix_duty_free_order_person", "duty_free_order", ["person_id", "id"], unique=False)
    op.create_index("ix_duty_free_order_trip", "duty_free_order", ["trip_index"], unique=False)
    op.create_table(
        "duty_free_year",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("quota_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("consumed_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reserved_fen + consumed_fen <= quota_fen", name=op.f("ck_duty_free_year_within_quota")
        ),
        sa.CheckConstraint(
            "reserved_fen >= 0 AND consumed_fen >= 0", name=op.f("ck_duty_free_year_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_duty_free_year_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "year", name=op.f("pk_duty_free_year")),
    )
    op.create_table(
        "duty_free_parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["duty_free_order.id"], name=op.f("fk_duty_free_parcel_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_free_parcel")),
        sa.UniqueConstraint("number", name=op.f("uq_duty_free_parcel_number")),
        sa.UniqueConstraint("order_id", name=op.f("uq_duty_free_parcel_order_id")),
    )
    op.create_table(
        "duty_free_pickup_check",
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("departed", sa.Text(), nullable=False),
        sa.Column("returned", sa.Text(), nullable=False),
        sa.Column("in_time", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome <> 'valid' OR (departed = 'yes' AND returned = 'yes' AND in_time = 'yes')",
            name=op.f("ck_duty_free_pickup_check_valid"),
        ),
        sa.CheckConstraint(
            "outcome IN ('valid', 'not_entitled', 'unavailable')",
            name=op.f("ck_duty_free_pickup_check_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["duty_free_order.id"], name=op.f("fk_duty_free_pickup_check_order_id")
        ),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_duty_free_pickup_check")),
    )
    op.create_index(
        "uq_duty_free_pickup_check_order",
        "duty_free_pickup_check",
        ["order_id"],
        unique=True,
        postgresql_where="outcome = 'valid'",
    )


def downgrade() -> None:
    op.drop_index(
        "uq_duty_free_pickup_check_order",
        table_name="duty_free_pickup_check",
        postgresql_where="outcome = 'valid'",
    )
    op.drop_table("duty_free_pickup_check")
    op.drop_table("duty_free_parcel")
    op.drop_table("duty_free_year")
    op.drop_index("ix_duty_free_order_trip", table_name="duty_free_order")
    op.drop_index("ix_duty_free_order_person", table_name="duty_free_order")
    op.drop_index(
        "ix_duty_free_order_collect_by", table_name="duty_free_order", postgresql_where="state = 'reserved'"
    )
    op.drop_table("duty_free_order")
