"""What must stay visible of a picture."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None: ...


def downgrade() -> None: ...
