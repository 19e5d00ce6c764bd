"""Login sessions and links are found by when they run out; nobody asks for events by their time."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(op.f("ix_login_sessions_last_seen_at"), "login_sessions", ["last_seen_at"])
    op.create_index(op.f("ix_password_resets_expires_at"), "password_resets", ["expires_at"])
    op.drop_index(op.f("ix_events_at"), "events")


def downgrade() -> None:
    op.create_index(op.f("ix_events_at"), "events", ["at"])
    op.drop_index(op.f("ix_password_resets_expires_at"), "password_resets")
    op.drop_index(op.f("ix_login_sessions_last_seen_at"), "login_sessions")
