"""What administrators set for the site; invitations and who came by them; applications of people
who ask to be let in.  A registration keeps what it was made with."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
NOTHING = sa.text("''")
WAITS = sa.text("declined_at IS NULL")


def upgrade() -> None:
    reason = sa.Column("reason", sa.Text(), server_default=NOTHING, nullable=False)
    op.add_column("registrations", reason)
    op.add_column("registrations", sa.Column("invitation_id", BIG, nullable=True))
    op.create_table(
        "site_settings",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site_settings")),
    )
    _invitations()
    _applications()


def downgrade() -> None:
    op.drop_table("applications")
    op.drop_table("invitation_uses")
    op.drop_table("invitations")
    op.drop_table("site_settings")
    op.drop_column("registrations", "invitation_id")
    op.drop_column("registrations", "reason")


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("note", sa.String(length=200), server_default=NOTHING, nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_invitations_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_account_id_id"), "invitations", ["account_id", "id"])
    op.create_table(
        "invitation_uses",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("invitation_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_invitation_uses_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitations.id"], ondelete="CASCADE",
            name=op.f("fk_invitation_uses_invitation_id_invitations"),
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_invitation_uses")),
    )  # fmt: skip
    op.create_index(op.f("ix_invitation_uses_invitation_id"), "invitation_uses", ["invitation_id"])


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("display_name", sa.String(length=200), server_default=NOTHING, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("issuer", sa.String(length=255), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("shown", sa.String(length=255), server_default=NOTHING, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("declined_at", MOMENT, nullable=True),
        sa.Column("answer", sa.Text(), server_default=NOTHING, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("email_key", name=op.f("uq_applications_email_key")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_applications_issuer_subject")),
    )
    op.create_index(
        "ix_applications_waiting", "applications", ["id"],
        sqlite_where=WAITS, postgresql_where=WAITS,
    )  # fmt: skip
