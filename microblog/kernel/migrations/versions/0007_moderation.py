"""Suspensions that end, silence, the log of moderators, reports and appeals."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
ENDS = sa.text("suspended_until IS NOT NULL")
IS_STAFF = sa.text("role <> 'member'")
OPEN_REPORT = sa.text("closed_at IS NULL")
OPEN_APPEAL = sa.text("decided_at IS NULL")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("suspended_until", MOMENT, nullable=True))
    op.add_column("accounts", sa.Column("silenced_at", MOMENT, nullable=True))
    op.create_index(
        "ix_accounts_suspended_until", "accounts", ["suspended_until"],
        sqlite_where=ENDS, postgresql_where=ENDS,
    )  # fmt: skip
    op.create_index(
        "ix_accounts_staff", "accounts", ["id"],
        sqlite_where=IS_STAFF, postgresql_where=IS_STAFF,
    )  # fmt: skip
    _moderation_log()
    _reports()
    _appeals()
    _bans()


def downgrade() -> None:
    op.drop_table("bans")
    op.drop_table("appeals")
    op.drop_table("reports")
    op.drop_table("moderation_log")
    op.drop_index("ix_accounts_staff", "accounts")
    op.drop_index("ix_accounts_suspended_until", "accounts")
    op.drop_column("accounts", "silenced_at")
    op.drop_column("accounts", "suspended_until")


def _moderation_log() -> None:
    op.create_table(
        "moderation_log",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("post_id", BIG, nullable=True),
        sa.Column("reason", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["accounts.id"], name=op.f("fk_moderation_log_actor_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_moderation_log_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_log")),
    )
    op.create_index(op.f("ix_moderation_log_account_id_id"), "moderation_log", ["account_id", "id"])
    op.create_index(op.f("ix_moderation_log_is_public_id"), "moderation_log", ["is_public", "id"])


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reporter_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("post_id", BIG, nullable=True),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("quoted", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by_id", BIG, nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["accounts.id"], name=op.f("fk_reports_reporter_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_reports_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["accounts.id"], name=op.f("fk_reports_closed_by_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index(op.f("ix_reports_account_id_id"), "reports", ["account_id", "id"])
    op.create_index(op.f("ix_reports_reporter_id_id"), "reports", ["reporter_id", "id"])
    op.create_index(
        "ix_reports_open", "reports", ["id"],
        sqlite_where=OPEN_REPORT, postgresql_where=OPEN_REPORT,
    )  # fmt: skip


def _appeals() -> None:
    op.create_table(
        "appeals",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["moderation_log.id"], name=op.f("fk_appeals_entry_id_moderation_log")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["accounts.id"], name=op.f("fk_appeals_decided_by_id_accounts")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_appeals")),
    )
    op.create_index(
        "ix_appeals_open", "appeals", ["entry_id"],
        sqlite_where=OPEN_APPEAL, postgresql_where=OPEN_APPEAL,
    )  # fmt: skip


def _bans() -> None:
    op.create_table(
        "bans",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bans")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_bans_kind_value")),
    )
