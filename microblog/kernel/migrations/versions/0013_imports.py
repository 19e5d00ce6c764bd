"""Archives that are being read in, what they left out, and where brought posts come from."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _imports()
    op.create_table(
        "import_parts",
        *_numbered("import_parts"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "import_left_out",
        *_numbered("import_left_out"),
        sa.Column("what", sa.String(length=500), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
    )
    op.create_table(
        "brought_posts",
        sa.Column("post_id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("import_id", BIG, nullable=True),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("origin_id", sa.String(length=19), nullable=False),
        _text("answered", 300),
        sa.Column("at", MOMENT, nullable=False),
        _of("brought_posts", "posts", "post_id"),
        _of("brought_posts", "accounts", "account_id"),
        _of("brought_posts", "imports", "import_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_brought_posts")),
        sa.UniqueConstraint(
            "account_id",
            "host",
            "origin_id",
            name=op.f("uq_brought_posts_account_id_host_origin_id"),
        ),
    )
    op.create_index(op.f("ix_brought_posts_import_id"), "brought_posts", ["import_id"])


def downgrade() -> None:
    for table in ("brought_posts", "import_left_out", "import_parts", "imports"):
        op.drop_table(table)


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        _text("host", 255),
        sa.Column("created_at", MOMENT, nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("contents", "wanted", "counts")),
        _text("reason", 200),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        *(
            sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
            for name in ("fence", "tries", "stage", "place", "done", "total")
        ),
        _of("imports", "accounts", "account_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_account_id"), "imports", ["account_id"])
    op.create_index(op.f("ix_imports_expires_at"), "imports", ["expires_at"])


def _numbered(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """Rows of an import that go with it."""
    return (
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _of(table, "imports", "import_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f(f"pk_{table}")),
    )


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), server_default=sa.text("('')"), nullable=False)


def _of(
    table: str, other: str, column: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)
