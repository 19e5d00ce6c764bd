"""When a login session was last proved."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("login_sessions", sa.Column("authenticated_at", moment, nullable=True))


def downgrade() -> None:
    op.drop_column("login_sessions", "authenticated_at")
