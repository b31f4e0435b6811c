"""The first tables: keys, budgets and the ledger.

Money is in nano-USD (1e-9 USD), times are in milliseconds since 1970 (UTC). What a table is for:

    keys          managed keys; the key itself is nowhere, only its keyed hash
    secrets       what the service makes for itself once, such as the secret of those hashes
    spending      for each owner and period of a budget: what is spent, and what open calls have reserved
    reservations  calls that are under way: the write-ahead record of their rows in `calls`
    calls         the ledger: one row for each call that reached an upstream
    workers       who is alive, so that the reservations of the others can be closed
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Text, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "keys",
        Column("id", String(32), primary_key=True),
        Column("name", String(128), nullable=False),
        Column("hash", String(64), nullable=False, unique=True),
        Column("previous_hash", String(64), unique=True),
        Column("previous_until", BigInteger),
        Column("spec", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger),
        Column("revoked_at", BigInteger),
    )
    in_use = text("revoked_at IS NULL")
    op.create_index("keys_by_name", "keys", ["name"], unique=True, sqlite_where=in_use, postgresql_where=in_use)

    op.create_table(
        "secrets",
        Column("name", String(64), primary_key=True),
        Column("value", Text, nullable=False),
    )

    op.create_table(
        "spending",
        Column("owner", String(640), primary_key=True),
        Column("period", String(8), primary_key=True),
        Column("start", BigInteger, primary_key=True),
        Column("cap", BigInteger, nullable=False),
        Column("spent", BigInteger, nullable=False),
        Column("reserved", BigInteger, nullable=False),
        Column("touched", BigInteger, nullable=False),
        Column("lapses_after", BigInteger),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "reservations",
        Column("id", String(32), primary_key=True),
        Column("worker", String(64), nullable=False),
        Column("opened_at", BigInteger, nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("lines", Text, nullable=False),
        Column("entry", Text, nullable=False),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "calls",
        Column("id", String(32), primary_key=True),
        Column("time", BigInteger, nullable=False),
        Column("request_id", String(128)),
        Column("caller", String(256), nullable=False),
        Column("key", String(32)),
        Column("run", String(256)),
        Column("tags", Text),
        Column("family", String(32), nullable=False),
        Column("route", String(128), nullable=False),
        Column("model_asked", String(256), nullable=False),
        Column("model_served", String(256)),
        Column("provider", String(64)),
        Column("attempts", Integer, nullable=False),
        Column("status", Integer, nullable=False),
        Column("error", String(64)),
        Column("input_tokens", BigInteger, nullable=False),
        Column("output_tokens", BigInteger, nullable=False),
        Column("cache_read_tokens", BigInteger, nullable=False),
        Column("cache_write_tokens", BigInteger, nullable=False),
        Column("reasoning_tokens", BigInteger, nullable=False),
        Column("cost", BigInteger, nullable=False),
        Column("exactness", String(9), nullable=False),
        Column("charged", Text, nullable=False),
        Column("first_byte_ms", Integer),
        Column("total_ms", BigInteger),
        Column("stream", Boolean, nullable=False),
        Column("client_gone", Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("calls_by_caller", "calls", ["caller", "id"])
    has_run = text("run IS NOT NULL")
    op.create_index("calls_by_run", "calls", ["run", "id"], sqlite_where=has_run, postgresql_where=has_run)

    op.create_table(
        "workers",
        Column("id", String(64), primary_key=True),
        Column("seen", BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them, with all that is in them."""
    for table in ("workers", "calls", "reservations", "spending", "secrets", "keys"):
        op.drop_table(table)
