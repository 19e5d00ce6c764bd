"""Passkeys (WebAuthn): a key of this device signs our challenge, after a finger, a face or a PIN.

Signing in with one counts for both factors, so the check by the device is required.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Forbidden, Invalid, NotFound
from microblog.kernel.ids import next_id
from microblog.kernel.later import Later
from microblog.kernel.model import Session
from microblog.kernel.text import one_line
from microblog.mail import outbox
from microblog.signin.model import Passkey

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import exceptions, structs
    from webauthn.registration.verify_registration_response import VerifiedRegistration
else:
    webauthn, helpers = Later("webauthn"), Later("webauthn.helpers")
    exceptions = Later("webauthn.helpers.exceptions")
    structs = Later("webauthn.helpers.structs")

NEEDED = ("webauthn",)  # loaded (`kernel.later`) before anything here is asked of a request
MOST = 20
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000

LAST = N_("This is your only way in. Add another one first.")
REFUSED = N_("That passkey was not accepted. Try again.")
# Beside WebAuthnException.
_MALFORMED = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Us, as authenticators know us: a host, and the origin of the page that asks."""

    host: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


async def passkeys_of(session: Session, account_id: int) -> list[PasskeyView]:
    columns = select(Passkey.id, Passkey.name, Passkey.created_at, Passkey.last_used_at)
    mine = columns.where(Passkey.account_id == account_id).order_by(Passkey.id)
    return [PasskeyView(*row) for row in await session.execute(mine)]


async def to_create(
    session: Session,
    site: RelyingParty,
    account_id: int,
    *,
    name: str,
    handle: bytes,
    challenge: bytes,
) -> str:
    """What the browser is asked, as JSON.  `handle` is the same for every passkey of an account."""
    mine = await session.scalars(
        select(Passkey.credential_id).where(Passkey.account_id == account_id)
    )
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_name=name,
        user_id=handle,
        challenge=challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=known) for known in mine],
    )
    return webauthn.options_to_json(options)


def to_get(site: RelyingParty, challenge: bytes) -> str:
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


async def add(
    session: Session, site: RelyingParty, account_id: int, challenge: bytes, answer: str, name: str
) -> None:
    """Raises Invalid("name"), Invalid("credential") or Conflict."""
    name = one_line(name)
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(
            "name", N_("Give it a name of at most %(most)s characters."), most=LONGEST_NAME
        )
    made = _created(site, challenge, answer)
    mine = select(func.count()).where(Passkey.account_id == account_id)
    if (await session.scalar(mine) or 0) >= MOST:
        raise Conflict("", N_("You have %(most)s passkeys. Remove one first."), most=MOST)
    row = Passkey(
        id=await next_id(session, Passkey.id), account_id=account_id, name=name,
        credential_id=made.credential_id, public_key=made.credential_public_key,
        sign_count=made.sign_count,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict("", N_("This passkey is known already.")) from error
    await _tell(session, account_id, "passkey_added")


async def owner(session: Session, site: RelyingParty, challenge: bytes, answer: str) -> int:
    """Whose key signed the challenge; raises Invalid("credential")."""
    try:
        credential = helpers.parse_authentication_credential_json(_bounded(answer))
        wanted = Passkey.credential_id == credential.raw_id
        known = await session.scalar(select(Passkey).where(wanted).with_for_update())
        if known is None:
            raise Invalid("credential", REFUSED)
        verified = webauthn.verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin, credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count, require_user_verification=True,
        )  # fmt: skip
    except (exceptions.WebAuthnException, *_MALFORMED) as error:
        raise Invalid("credential", REFUSED) from error
    known.sign_count, known.last_used_at = verified.new_sign_count, now()
    return known.account_id


async def remove(session: Session, account_id: int, passkey_id: int, *, otherwise: bool) -> None:
    """`otherwise`: whether there is a way in without any passkey.  Raises `NotFound`, or
    `Forbidden` for the last way in."""
    mine = delete(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account_id)
    if await session.scalar(mine.returning(Passkey.id)) is None:
        raise NotFound
    if not (otherwise or await passkeys_of(session, account_id)):
        raise Forbidden(LAST)
    await _tell(session, account_id, "passkey_removed")


def _created(site: RelyingParty, challenge: bytes, answer: str) -> VerifiedRegistration:
    try:
        return webauthn.verify_registration_response(
            credential=_bounded(answer), expected_challenge=challenge, expected_rp_id=site.host,
            expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except (exceptions.WebAuthnException, *_MALFORMED) as error:
        raise Invalid("credential", REFUSED) from error


def _bounded(answer: str) -> str:
    if len(answer) > LONGEST_ANSWER:
        raise Invalid("credential", REFUSED)
    return answer


async def _tell(session: Session, account_id: int, change: str) -> None:
    told = {"account_id": account_id, "change": change, "at": now().isoformat()}
    await outbox.enqueue(session, "two_factor", told)
