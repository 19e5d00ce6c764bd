"""What a browser carries while it is at a provider: signed, for ten minutes, for one journey.

The state is bound to this browser by the cookie and to the provider by what the cookie says; that
it comes back once is a row (`identities.actions.spend`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from quart import Response, after_this_request, request
from werkzeug.wrappers import Response as WerkzeugResponse

from microblog.identities import queries as identities
from microblog.kernel import clock, tokens
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.model import Session
from microblog.oauth import conversation
from microblog.oauth.conversation import Secrets
from microblog.oauth.failures import JourneyFailed
from microblog.oauth.vouched import Vouched
from microblog.providers import Provider
from microblog.site import site, viewer
from microblog.web.identity import cookie_name

AnyResponse: TypeAlias = Response | WerkzeugResponse

LONGEST = timedelta(minutes=10)
TO_CHOOSE = timedelta(minutes=30)  # a name, after the first sign-in
MOST_KEPT = 1500  # bytes
# In one cookie, before base 64 makes a third more of it; browsers take four kilobytes.
MOST_CARRIED = 2900
POST = "post"  # to be allowed to post for them over there
_JOURNEY, _NEWCOMER = "journey", "newcomer"
_LONGEST_NAME = 60


class Lost(JourneyFailed):
    """The state is of another browser, another provider, another time, or none."""

    message = N_(
        "This answer of %(provider)s belongs to no sign-in that this browser began within the last"
        " ten minutes. Begin again."
    )


@dataclass(frozen=True, slots=True)
class Journey:
    """`purpose` is "sign-in", "link", "prove" or "post"; all but the first are for one login
    session."""

    provider: str
    purpose: str
    state: str
    nonce: str
    verifier: str
    next: str
    session_id: int
    began_at: float
    invitation: str = ""  # of sign-in: the code of a link, should they be new here
    # Of "prove": the form that was interrupted, to go on with.
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.state, self.nonce, self.verifier)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.began_at, UTC) + LONGEST


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom a provider vouched for and who has no account here yet."""

    provider: str
    next: str
    arrived_at: float
    issuer: str
    subject: str
    name: str
    display_name: str
    email: str | None
    picture: str = ""
    invitation: str = ""

    @property
    def vouched(self) -> Vouched:
        who = Vouched(self.issuer, self.subject, self.name, self.display_name, self.email)
        return replace(who, picture=self.picture)


def provider(provider_id: str) -> Provider:
    """Raises `NotFound` unless it is configured."""
    found = next((one for one in site().settings.providers if one.id == provider_id), None)
    if found is None:
        raise NotFound
    return found


async def linked_providers(session: Session, account_id: int) -> list[Provider]:
    """Those through which the account can be entered."""
    issuers = {each.issuer for each in await identities.identities_of(session, account_id)}
    return [one for one in site().settings.providers if one.issuer in issuers]


async def begin(
    through: Provider,
    purpose: str,
    next_path: str,
    *,
    invitation: str = "",
    kept: Mapping[str, str] | None = None,
) -> str:
    """The address to send the browser to; raises `JourneyFailed`."""
    secrets, asking = Secrets.new(), viewer()
    url = await conversation.address(
        through, redirect_uri(through), secrets,
        prove_again=purpose == "prove", posting=purpose == POST,
    )  # fmt: skip
    journey = Journey(
        through.id, purpose, secrets.state, secrets.nonce, secrets.verifier, next_path,
        asking.session_id if asking else 0, clock.now().timestamp(), invitation,
        _small(kept or {}),
    )  # fmt: skip
    _keep(_JOURNEY, asdict(journey), LONGEST)
    return url


def come_back(through: Provider, state: str) -> Journey:
    """The journey that this answer ends; raises `Lost`."""
    written = _kept(_JOURNEY)
    _drop(_JOURNEY)
    if written is None:
        raise Lost("no journey")
    journey = Journey(**written)
    if not tokens.same(journey.state, state) or journey.provider != through.id:
        raise Lost("state or provider differ")
    if clock.now() >= journey.ends_at:
        raise Lost("too late")
    if journey.purpose != "sign-in" and not _is_same_session(journey):
        raise Lost("another login session")
    return journey


def keep_newcomer(journey: Journey, who: Vouched) -> None:
    who = replace(who, name=who.name[:_LONGEST_NAME], display_name=who.display_name[:_LONGEST_NAME])
    about = asdict(who)
    del about["proven_at"]
    newcomer = Newcomer(
        journey.provider, journey.next, clock.now().timestamp(), **about,
        invitation=journey.invitation,
    )  # fmt: skip
    _keep(_NEWCOMER, asdict(newcomer), TO_CHOOSE)


def newcomer(through: Provider) -> Newcomer | None:
    written = _kept(_NEWCOMER)
    found = Newcomer(**written) if written else None
    if found is None or found.provider != through.id or found.issuer != through.issuer:
        return None
    age = clock.now().timestamp() - found.arrived_at
    return found if age < TO_CHOOSE.total_seconds() else None


def forget_newcomer() -> None:
    _drop(_NEWCOMER)


def redirect_uri(through: Provider) -> str:
    """One for each provider, so that none can hand us an answer of another."""
    return f"{site().settings.base_url}/login/{through.id}/callback"


def _small(kept: Mapping[str, str]) -> dict[str, str]:
    """What fits beside the rest into a cookie, whole or not at all."""
    return dict(kept) if len(json.dumps(kept, ensure_ascii=False).encode()) <= MOST_KEPT else {}


def _is_same_session(journey: Journey) -> bool:
    asking = viewer()
    return asking is not None and asking.session_id == journey.session_id


def _keep(kind: str, facts: Mapping[str, Any], life: timedelta) -> None:
    written = base64.urlsafe_b64encode(_carried(facts)).decode()
    _answer_with(kind, f"{written}.{tokens.sign(_key(kind), written)}", life)


def _carried(facts: Mapping[str, Any]) -> bytes:
    """Without what one can do without, one after the other, if all of it does not fit: browsers
    drop a cookie that is too large."""
    written = json.dumps(facts, ensure_ascii=False).encode()
    for name, nothing in (("kept", {}), ("next", "/"), ("picture", "")):
        if len(written) > MOST_CARRIED and facts.get(name, nothing) != nothing:
            facts = {**facts, name: nothing}
            written = json.dumps(facts, ensure_ascii=False).encode()
    return written


def _kept(kind: str) -> dict[str, Any] | None:
    written, _dot, signature = request.cookies.get(_cookie(kind), "").rpartition(".")
    if not tokens.same(signature, tokens.sign(_key(kind), written)):
        return None
    facts: dict[str, Any] = json.loads(base64.urlsafe_b64decode(written))
    return facts


def _drop(kind: str) -> None:
    _answer_with(kind, "", timedelta())


def _answer_with(kind: str, value: str, life: timedelta) -> None:
    """Lax: it must come along when the provider sends the browser back."""
    secure = site().settings.https

    @after_this_request
    async def add(response: AnyResponse) -> AnyResponse:
        response.set_cookie(
            _cookie(kind), value, max_age=life, httponly=True, samesite="Lax", secure=secure
        )
        return response


def _cookie(kind: str) -> str:
    return cookie_name(kind, https=site().settings.https)


def _key(kind: str) -> bytes:
    return tokens.key_for(site().settings.secret_key, kind)
