"""Which links of a profile link back."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None: ...


def downgrade() -> None: ...
