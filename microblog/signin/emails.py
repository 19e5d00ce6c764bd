"""The mail about accounts: confirm an address, choose a new password, know that it was changed.

A composer runs when the mail is about to leave, so a link is made then and never lies in a queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.kernel.errors import N_
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import Cancelled, Compose, Letter
from microblog.signin import email_changes, entrance, proofs, registrations, resets, user_agents
from microblog.signin.model import EmailChange, EmailUndo, Registration, SignInNotice

TWO_FACTOR = {
    "on": N_("Two-factor sign-in was turned on"),
    "off": N_("Two-factor sign-in was turned off"),
    "codes": N_("New recovery codes were made"),
    "passkey_added": N_("A passkey was added"),
    "passkey_removed": N_("A passkey was removed"),
    "used": N_("A recovery code was used"),
}


def composers(base_url: str, secret: str, with_passwords: bool) -> dict[str, Compose]:
    """`secret` is the site's, for codes that are made of it."""
    desk = Desk(base_url, secret, with_passwords)
    return {
        "registration": desk.registration,
        "password_reset": desk.password_reset,
        "password_changed": desk.password_changed,
        "email_change": desk.email_change,
        "email_changed": desk.email_changed,
        "two_factor": desk.two_factor,
        "new_device": desk.new_device,
        "proof": desk.proof,
    }


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str
    secret: str = field(repr=False)
    with_passwords: bool

    async def registration(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """A link to confirm the address, or word that it has an account already."""
        asked = await session.get(Registration, payloads[0]["registration_id"])
        if asked is None or asked.expires_at <= now():
            return Cancelled("replaced or expired")
        owner = await accounts.by_email(session, asked.email)
        if owner is not None:
            await session.delete(asked)
            return self._letter(
                "already_registered", owner,
                login_url=f"{self.base_url}/login", reset_url=self._forgot,
            )  # fmt: skip
        url = f"{self.base_url}/confirm/{await registrations.issue_link(session, asked)}"
        hours = int(registrations.LIFE.total_seconds() // 3600)
        context = {
            **self._common(asked.name), "url": url, "hours": hours, "applies": bool(asked.reason),
        }  # fmt: skip
        return Letter("confirm", asked.email, asked.language or DEFAULT, context)

    async def password_reset(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        owner = await accounts.by_email(session, payloads[0]["email"])
        if owner is None:
            return Cancelled("no account")
        if not self.with_passwords:
            return Cancelled("nobody has a password here")
        url = f"{self.base_url}/password/reset/{await resets.issue_link(session, owner.id)}"
        minutes = int(resets.LIFE.total_seconds() // 60)
        has_password = owner.password_hash is not None
        return self._letter(
            "password_reset", owner, url=url, minutes=minutes, has_password=has_password
        )

    async def password_changed(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        owner = await session.get(Account, payloads[0]["account_id"])
        if owner is None or not owner.email:
            return Cancelled("no address")
        at = datetime.fromisoformat(payloads[0]["at"])
        return self._letter("password_changed", owner, reset_url=self._forgot, at=at)

    async def email_change(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """A link to confirm the new address, or word to whoever has it already."""
        asked = await session.get(EmailChange, payloads[0]["change_id"])
        if asked is None or asked.expires_at <= now():
            return Cancelled("replaced or expired")
        owner = await accounts.by_email(session, asked.email)
        if owner is not None:
            return self._letter("email_taken", owner, login_url=f"{self.base_url}/login")
        account = await accounts.account(session, asked.account_id)
        url = f"{self.base_url}/email/confirm/{await email_changes.issue_link(session, asked)}"
        return self._letter("email_change", account, to=asked.email, url=url)

    async def email_changed(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """To the address that was left, with the way back."""
        undo = await session.get(EmailUndo, payloads[0]["undo_id"])
        if undo is None or undo.expires_at <= now():
            return Cancelled("taken back or expired")
        account = await accounts.account(session, undo.account_id)
        url = f"{self.base_url}/email/undo/{await email_changes.issue_undo_link(session, undo)}"
        return self._letter(
            "email_changed", account, to=undo.email, url=url, at=undo.changed_at,
            email=account.email, days=email_changes.UNDO.days,
        )  # fmt: skip

    async def two_factor(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        owner = await session.get(Account, payloads[0]["account_id"])
        if owner is None or not owner.email:
            return Cancelled("no address")
        at = datetime.fromisoformat(payloads[0]["at"])
        headline = TWO_FACTOR[payloads[0]["change"]]
        return self._letter("two_factor", owner, headline=headline, reset_url=self._forgot, at=at)

    async def new_device(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """With a link that says: this was not me."""
        told = await session.get(SignInNotice, payloads[0]["notice_id"])
        if told is None or told.expires_at <= now():
            return Cancelled("answered or expired")
        owner = await accounts.account(session, told.account_id)
        if not owner.email:
            return Cancelled("no address")
        url = f"{self.base_url}/not-me/{await entrance.issue_link(session, told)}"
        return self._letter(
            "new_device", owner, url=url, at=told.created_at,
            browser=user_agents.browser(told.user_agent),
            system=user_agents.system(told.user_agent),
        )  # fmt: skip

    async def proof(self, session: Session, payloads: list[dict[str, Any]]) -> Letter | Cancelled:
        """A code for the login session that asked."""
        made = await proofs.code(session, self.secret, payloads[0]["login_session_id"])
        owner = await session.get(Account, made[0]) if made else None
        if made is None or owner is None or not owner.email:
            return Cancelled("signed out, or no address")
        return self._letter("proof", owner, code=made[1])

    @property
    def _forgot(self) -> str:
        return f"{self.base_url}/password/forgot"

    def _letter(
        self,
        template: str,
        owner: Account,
        *,
        to: str | None = None,
        **context: Any,  # noqa: ANN401
    ) -> Letter:
        """To the account's own address, as it is now, unless `to` another."""
        shown = self._common(owner.display_name or owner.name)
        if owner.time_zone:
            shown["time_zone"] = owner.time_zone
        address = to or owner.email or ""
        return Letter(template, address, owner.language or DEFAULT, {**shown, **context})

    def _common(self, name: str) -> dict[str, Any]:
        return {"name": name, "settings_url": f"{self.base_url}/settings/account"}
