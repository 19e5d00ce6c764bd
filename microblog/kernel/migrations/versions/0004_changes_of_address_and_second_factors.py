"""Changes of address, second factors, sign-ins in two steps and on new devices."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("login_sessions", sa.Column("language", sa.String(length=35), nullable=True))
    op.add_column("login_sessions", sa.Column("time_zone", sa.String(length=64), nullable=True))
    _email_changes()
    _email_undos()
    _second_factors()
    _recovery_codes()
    _sign_in_steps()
    _sign_in_notices()
    _passkeys()


def downgrade() -> None:
    for table in (
        "passkeys",
        "sign_in_notices",
        "sign_in_steps",
        "recovery_codes",
        "second_factors",
        "email_undos",
        "email_changes",
    ):
        op.drop_table(table)
    op.drop_column("login_sessions", "time_zone")
    op.drop_column("login_sessions", "language")


def _email_changes() -> None:
    op.create_table(
        "email_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("login_session_id", BIG, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        _of_an_account("email_changes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
        sa.UniqueConstraint("account_id", name=op.f("uq_email_changes_account_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_changes_token_hash")),
    )
    _index("email_changes", "expires_at")


def _email_undos() -> None:
    op.create_table(
        "email_undos",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        _of_an_account("email_undos"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_undos")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_undos_token_hash")),
    )
    _index("email_undos", "account_id", "email_key", "expires_at")


def _second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", BIG, nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        _of_an_account("second_factors"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factors")),
    )


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        _of_an_account("recovery_codes"),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_codes")),
    )


def _sign_in_steps() -> None:
    op.create_table(
        "sign_in_steps",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("remembered", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("next_path", sa.Text(), server_default=sa.text("('/')"), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        _of_an_account("sign_in_steps"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_steps")),
    )
    _index("sign_in_steps", "account_id", "expires_at")


def _sign_in_notices() -> None:
    op.create_table(
        "sign_in_notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("login_session_id", BIG, nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        _of_an_account("sign_in_notices"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_notices")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_notices_token_hash")),
    )
    _index("sign_in_notices", "account_id", "expires_at")


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        _of_an_account("passkeys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    _index("passkeys", "account_id")


def _of_an_account(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_account_id_accounts")
    return sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=name)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
