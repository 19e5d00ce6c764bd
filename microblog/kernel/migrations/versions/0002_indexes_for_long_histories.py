"""What has run out is found by its time; the unread are counted in order; nobody asks for events by
their time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

UNREAD = sa.text("read_at IS NULL")
SETTLED = sa.text("state NOT IN ('queued', 'deferred', 'leased')")


def upgrade() -> None:
    op.create_index(op.f("ix_login_sessions_last_seen_at"), "login_sessions", ["last_seen_at"])
    op.create_index(op.f("ix_password_resets_expires_at"), "password_resets", ["expires_at"])
    op.create_index(
        "ix_emails_settled", "emails", ["created_at"],
        sqlite_where=SETTLED, postgresql_where=SETTLED,
    )  # fmt: skip
    _unread_by("account_id", "id")
    op.drop_index(op.f("ix_events_at"), "events")


def downgrade() -> None:
    op.create_index(op.f("ix_events_at"), "events", ["at"])
    _unread_by("account_id")
    op.drop_index("ix_emails_settled", "emails")
    op.drop_index(op.f("ix_password_resets_expires_at"), "password_resets")
    op.drop_index(op.f("ix_login_sessions_last_seen_at"), "login_sessions")


def _unread_by(*columns: str) -> None:
    op.drop_index("ix_notifications_unread", "notifications")
    op.create_index(
        "ix_notifications_unread", "notifications", list(columns),
        sqlite_where=UNREAD, postgresql_where=UNREAD,
    )  # fmt: skip
