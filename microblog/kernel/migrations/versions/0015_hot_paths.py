"""Indexes of what is asked most."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None: ...


def downgrade() -> None: ...
