"""People who are leaving, their way back, and names that nobody may have for a while; the copies
of what is theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("leaving_at", MOMENT, nullable=True))
    op.create_table(
        "kept_names",
        sa.Column("name_key", sa.String(length=30), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name_key", name=op.f("pk_kept_names")),
    )
    op.create_index(op.f("ix_kept_names_until"), "kept_names", ["until"])
    op.create_table(
        "departures",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("is_untold", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        _of("departures", "accounts", "account_id", "id"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_departures")),
    )
    op.create_table(
        "ways_back",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        _of("ways_back", "departures", "account_id", "account_id"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_ways_back")),
    )
    op.create_index(op.f("ix_ways_back_account_id"), "ways_back", ["account_id"])
    op.create_index(op.f("ix_notifications_actor_id"), "notifications", ["actor_id"])
    _archives()


def downgrade() -> None:
    op.drop_table("archive_parts")
    op.drop_table("archives")
    op.drop_index(op.f("ix_notifications_actor_id"), "notifications")
    op.drop_table("ways_back")
    op.drop_table("departures")
    op.drop_table("kept_names")
    op.drop_column("accounts", "leaving_at")


def _archives() -> None:
    op.create_table(
        "archives",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("size", BIG, server_default=sa.text("0"), nullable=False),
        _of("archives", "accounts", "account_id", "id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archives")),
        sa.UniqueConstraint("account_id", name=op.f("uq_archives_account_id")),
    )
    op.create_table(
        "archive_parts",
        sa.Column("archive_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["archive_id"], ["archives.id"], ondelete="CASCADE",
            name=op.f("fk_archive_parts_archive_id_archives"),
        ),
        sa.PrimaryKeyConstraint("archive_id", "number", name=op.f("pk_archive_parts")),
    )  # fmt: skip


def _of(table: str, other: str, column: str, their: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.{their}"], name=name)
