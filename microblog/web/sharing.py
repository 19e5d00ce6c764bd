"""Where one's posts may be copied to: connecting, choosing a Page, disconnecting."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, ResponseReturnValue, flash

from microblog.accounts import queries as accounts
from microblog.crossposts import places
from microblog.crossposts import queries as crossposts
from microblog.crossposts.queries import PlaceView
from microblog.identities import queries as linked
from microblog.kernel.errors import N_, NotFound
from microblog.oauth.failures import JourneyFailed
from microblog.oauth.posting import can_post
from microblog.providers import Provider
from microblog.site import me, site
from microblog.web import journeys
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.paging import number
from microblog.web.providers import failed
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render

pages = Blueprint("sharing", __name__)

PATH = "/settings/sharing"
CHOSEN = N_("Connected. Posts go there when you switch it on under what you write.")
DISCONNECTED = N_("Disconnected. What was copied before stays there.")


@dataclass(frozen=True, slots=True)
class Site:
    """One that posts can be copied to; `offered` are Pages to choose from."""

    provider: Provider
    is_linked: bool
    places: list[PlaceView]
    offered: list[PlaceView]


@pages.get(PATH)
@member
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        issuers = {one.issuer for one in await linked.identities_of(session, me().id)}
        mine = await crossposts.places_of(session, me().id)
        offered = await crossposts.places_of(session, me().id, chosen=False)
        left = await crossposts.left_behind(session, me().id)
        private = (await accounts.account(session, me().id)).private_at is not None
    sites = [
        Site(one, one.issuer in issuers, _of(mine, one), _of(offered, one))
        for one in site().settings.providers
        if can_post(one)
    ]
    return render("settings/sharing.html", sites=sites, left=left, private=private)


@pages.post(PATH)
@member
@recently_authenticated
@limited("60/hour")
async def change() -> ResponseReturnValue:
    """`connect` is the id of a provider; `choose` and `disconnect` are those of one's places."""
    form = await read_form("connect", "choose", "disconnect")
    if form["connect"]:
        return await _depart(journeys.provider(form["connect"]))
    async with writing_as_me() as session:
        if form["choose"]:
            await places.choose(session, me().id, number(form["choose"]) or 0)
        else:
            await places.disconnect(session, me().id, number(form["disconnect"]) or 0)
    if not wants_json():
        await flash(translated(CHOSEN if form["choose"] else DISCONNECTED), "notice")
    return done(PATH)


async def _depart(provider: Provider) -> ResponseReturnValue:
    """By way of a page that goes on by itself (`web.identities`)."""
    if not can_post(provider):
        raise NotFound
    try:
        url = await journeys.begin(provider, journeys.POST, PATH)
    except JourneyFailed as failure:
        return await failed(provider, failure)
    return render("signin/leaving.html", provider=provider, url=url)


def _of(found: list[PlaceView], provider: Provider) -> list[PlaceView]:
    return [one for one in found if one.kind == provider.kind]
