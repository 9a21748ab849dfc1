"""Unemployment insurance that moves to another province"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "unemployment_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("paid_months", sa.SmallInteger(), nullable=False),
        sa.Column("months_left", sa.SmallInteger(), nullable=True),
        sa.Column("monthly_fen", sa.BigInteger(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carried_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'decided') = (amount_fen IS NULL)", name=op.f("ck_unemployment_move_amount")
        ),
        sa.CheckConstraint(
            "state IN ('decided', 'carried_out', 'confirmed')", name=op.f("ck_unemployment_move_state")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases_case.id"], name=op.f("fk_unemployment_move_case_id_cases_case")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["unemployment_grant.id"],
            name=op.f("fk_unemployment_move_grant_id_unemployment_grant"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["identity_person.id"],
            name=op.f("fk_unemployment_move_person_id_identity_person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unemployment_move")),
        sa.UniqueConstraint("case_id", name=op.f("uq_unemployment_move_case_id")),
    )
    op.create_index(
        "ix_unemployment_move_open",
        "unemployment_move",
        ["id"],
        postgresql_where=sa.text("state <> 'confirmed'"),
    )
    op.create_index("ix_unemployment_move_person_id", "unemployment_move", ["person_id", "id"])
    op.create_index("ix_unemployment_move_grant_id", "unemployment_move", ["grant_id"])
    op.add_column("unemployment_grant", sa.Column("letter", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_unemployment_grant_letter"), "unemployment_grant", ["letter"])
    op.add_column("unemployment_payment", sa.Column("move_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_unemployment_payment_move_id_unemployment_move"),
        "unemployment_payment",
        "unemployment_move",
        ["move_id"],
        ["id"],
    )
    op.create_index(
        "ix_unemployment_payment_move_id",
        "unemployment_payment",
        ["move_id"],
        postgresql_where=sa.text("move_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("unemployment_payment", "move_id")
    op.drop_column("unemployment_grant", "letter")
    op.drop_table("unemployment_move")
