"""Visitors, and the duty-free allowance"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("identity_person", sa.Column("birth_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "identity_document",
        sa.Column("id_number_index", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_identity_document_person_id")
        ),
        sa.PrimaryKeyConstraint("id_number_index", name=op.f("pk_identity_document")),
    )
    op.create_index(op.f("ix_identity_document_person_id"), "identity_document", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_identity_document_person_id"), table_name="identity_document")
    op.drop_table("identity_document")
    op.drop_column("identity_person", "birth_sealed")
