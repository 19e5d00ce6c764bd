"""Copies of posts on other sites, and where somebody lets them be made."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
ACTIVE = sa.text("state IN ('queued', 'deferred', 'leased')")


def upgrade() -> None:
    op.create_table(
        "crosspost_places",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("identity_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("shown", sa.String(length=255), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("is_chosen", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("connected_at", MOMENT, nullable=False),
        _of("crosspost_places", "account_id", "accounts"),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identities.id"], ondelete="CASCADE",
            name=op.f("fk_crosspost_places_identity_id_identities"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crosspost_places")),
        sa.UniqueConstraint(
            "account_id", "kind", "external_id",
            name=op.f("uq_crosspost_places_account_id_kind_external_id"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_crosspost_places_identity_id"), "crosspost_places", ["identity_id"])
    _crossposts()


def downgrade() -> None:
    op.drop_table("crossposts")
    op.drop_table("crosspost_places")


def _crossposts() -> None:
    op.create_table(
        "crossposts",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("post_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("shown", sa.String(length=255), nullable=False),
        sa.Column("task", sa.String(length=8), server_default="post", nullable=False),
        sa.Column("state", sa.String(length=16), server_default="queued", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("give_up_at", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sending_at", MOMENT, nullable=True),
        sa.Column("is_unwanted", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("remote_id", sa.String(length=64), nullable=True),
        sa.Column("remote_url", sa.String(length=255), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        _of("crossposts", "post_id", "posts"),
        _of("crossposts", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crossposts")),
        sa.UniqueConstraint(
            "post_id", "kind", "external_id", name=op.f("uq_crossposts_post_id_kind_external_id")
        ),
    )
    op.create_index(op.f("ix_crossposts_account_id_id"), "crossposts", ["account_id", "id"])
    op.create_index(
        "ix_crossposts_due", "crossposts", ["due_at"],
        sqlite_where=ACTIVE, postgresql_where=ACTIVE,
    )  # fmt: skip


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)
