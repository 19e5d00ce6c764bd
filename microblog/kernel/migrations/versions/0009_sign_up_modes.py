"""Sign-up modes and what administrators set for the site."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None: ...


def downgrade() -> None: ...
