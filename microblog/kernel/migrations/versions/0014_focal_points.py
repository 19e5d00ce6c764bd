"""What must stay in sight of a header picture where there is no room for all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column("header_focus", sa.String(16), server_default="middle-middle", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("accounts", "header_focus")
