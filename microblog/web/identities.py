"""The ways of signing in that somebody has: linking, unlinking, and proving it through one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quart import Blueprint, ResponseReturnValue, flash

from microblog.identities import actions
from microblog.identities import queries as linked
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.oauth.failures import JourneyFailed
from microblog.providers import Provider
from microblog.signin import passkeys
from microblog.site import me, site
from microblog.web import journeys, ways_in
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.providers import failed
from microblog.web.reauthentication import kept_fields, recently_authenticated
from microblog.web.redirects import safe_path
from microblog.web.rendering import render

pages = Blueprint("identities", __name__)

UNLINKED = N_("Removed. You can no longer sign in with it.")


@dataclass(frozen=True, slots=True)
class Way:
    """One linked identity; `provider` is its name, or the issuer of one no longer offered."""

    id: int
    provider: str
    shown: str
    linked_at: datetime
    last_used_at: datetime
    has_profile: bool  # something that could be taken over
    is_only: bool  # nothing else lets them in


@pages.get("/settings/identities")
@member
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await linked.identities_of(session, me().id)
        otherwise = await _has_other_way(session)
    labels = ways_in.providers()
    usable = [one.id for one in found if one.issuer in labels]
    ways = [
        Way(
            one.id, labels.get(one.issuer, one.issuer), one.shown, one.linked_at,
            one.last_used_at, bool(one.display_name or one.picture),
            is_only=not otherwise and usable == [one.id],
        )
        for one in found
    ]  # fmt: skip
    issuers = {one.issuer for one in found}
    addable = [one for one in site().settings.providers if one.issuer not in issuers]
    return render("settings/identities.html", ways=ways, addable=addable)


@pages.post("/settings/identities")
@member
@recently_authenticated
@limited("60/hour")
async def change() -> ResponseReturnValue:
    """`link` is the id of a provider, `unlink` that of one of one's own identities."""
    form = await read_form("link", "unlink")
    if form["link"]:
        return await _depart(journeys.provider(form["link"]), "link", "/settings/identities")
    await _unlink(_id(form["unlink"]))
    if not wants_json():
        await flash(translated(UNLINKED), "notice")
    return done("/settings/identities")


@pages.post("/reauthenticate/through")
@member
@limited("60/hour")
async def prove() -> ResponseReturnValue:
    form = await read_form("provider", "next")
    through, wanted = journeys.provider(form["provider"]), safe_path(form["next"])
    if not through.asks_again:
        raise NotFound
    return await _depart(through, "prove", wanted, kept=await kept_fields())


async def _unlink(identity_id: int) -> None:
    labels = ways_in.providers()
    async with writing_as_me() as session:
        mine = await linked.identities_of(session, me().id)
        issuer = next((one.issuer for one in mine if one.id == identity_id), "")
        await actions.unlink(
            session, me().id, identity_id, labels.get(issuer, issuer),
            usable=list(labels), otherwise=await _has_other_way(session),
        )  # fmt: skip


async def _depart(
    provider: Provider, purpose: str, next_path: str, *, kept: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """By way of a page that goes on by itself: a form may not lead to another site, not even by
    redirects (form-action of the Content-Security-Policy)."""
    try:
        url = await journeys.begin(provider, purpose, next_path, kept=kept)
    except JourneyFailed as failure:
        return await failed(provider, failure)
    return render("signin/leaving.html", provider=provider, url=url)


async def _has_other_way(session: Session) -> bool:
    """A passkey, or a password."""
    if await ways_in.by_password(session):
        return True
    return bool(await passkeys.passkeys_of(session, me().id))


def _id(written: str) -> int:
    return min(int(written), LARGEST) if written.isascii() and written.isdigit() else 0
