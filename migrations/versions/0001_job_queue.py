"""The job queue: the tables of the queue library, as its release 1.6.0 declares them."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TABLES = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    tables, function_and_trigger = TABLES.read_text().split("CREATE FUNCTION")
    function, trigger = function_and_trigger.split("CREATE TRIGGER")
    # asyncpg takes one statement a call.
    for statement in tables.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute("CREATE FUNCTION" + function)
    op.execute("CREATE TRIGGER" + trigger)


def downgrade() -> None:
    for table in ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION fn_pgqueuer_changed()")
    op.execute("DROP TYPE pgqueuer_status")
