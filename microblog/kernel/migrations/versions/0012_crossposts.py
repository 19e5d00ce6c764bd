"""Copies of posts on other sites."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None: ...


def downgrade() -> None: ...
