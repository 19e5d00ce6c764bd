"""Who may follow after being asked: since when an account is private, and who waits."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
TABLE = "follow_requests"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("private_at", MOMENT, nullable=True))
    op.create_table(
        TABLE,
        sa.Column("follower_id", BIG, nullable=False),
        sa.Column("followed_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _account("follower_id"),
        _account("followed_id"),
        sa.PrimaryKeyConstraint("follower_id", "followed_id", name=op.f(f"pk_{TABLE}")),
    )
    name = op.f(f"ix_{TABLE}_followed_id_follower_id")
    op.create_index(name, TABLE, ["followed_id", "follower_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
    op.drop_column("accounts", "private_at")


def _account(column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{TABLE}_{column}_accounts")
    return sa.ForeignKeyConstraint([column], ["accounts.id"], name=name)
