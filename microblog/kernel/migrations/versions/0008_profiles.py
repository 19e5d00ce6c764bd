"""What people say of themselves: pronouns, a place, links, pictures; how pages look to them;
and where the names lead that they had before."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = ("pronouns", 200), ("location", 240)
PICTURES = ("avatar", "header")
LOOKS = ("accent", "pine"), ("text_size", "normal"), ("motion", "auto")
NOTHING = sa.text("''")
NO_LINKS = sa.text("'[]'")


def upgrade() -> None:
    for name, longest in WORDS:
        _add(sa.Column(name, sa.String(longest), server_default=NOTHING, nullable=False))
    _add(sa.Column("links", sa.JSON(), server_default=NO_LINKS, nullable=False))
    for name in PICTURES:
        _add(sa.Column(name, sa.String(32), nullable=True))
        op.create_index(op.f(f"ix_accounts_{name}"), "accounts", [name])
        _add(sa.Column(f"{name}_alt", sa.Text(), server_default=NOTHING, nullable=False))
    for name, usual in LOOKS:
        _add(sa.Column(name, sa.String(8), server_default=usual, nullable=False))

    op.add_column("kept_names", sa.Column("account_id", BIG, nullable=True))
    op.create_index(op.f("ix_kept_names_account_id"), "kept_names", ["account_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_kept_names_account_id"), "kept_names")
    op.drop_column("kept_names", "account_id")
    for name, _usual in LOOKS:
        op.drop_column("accounts", name)
    for name in PICTURES:
        op.drop_column("accounts", f"{name}_alt")
        op.drop_index(op.f(f"ix_accounts_{name}"), "accounts")
        op.drop_column("accounts", name)
    op.drop_column("accounts", "links")
    for name, _longest in WORDS:
        op.drop_column("accounts", name)


def _add(column: sa.Column[Any]) -> None:
    op.add_column("accounts", column)
