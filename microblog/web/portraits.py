"""What a provider calls and shows somebody, offered for their profile here and never forced on it.

Their picture is at an address that the provider, and so in the end they themselves, may choose: it
is fetched by the guarded client and goes through the workshop like one that was sent.  No browser
of ours asks for it over there.
"""

from __future__ import annotations

import asyncio
import logging

from quart import Blueprint, Response, ResponseReturnValue, flash, redirect

from microblog.accounts import actions as accounts
from microblog.identities import queries as linked
from microblog.identities.queries import LinkedIdentity
from microblog.kernel.errors import N_, Invalid, NoRoom, NotFound
from microblog.media import actions as media
from microblog.media import store, workshop
from microblog.outbound.failures import OutboundFailure
from microblog.site import me, site
from microblog.web import journeys, limits, ways_in
from microblog.web.access import member, public
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import account, address, limited
from microblog.web.paging import post_id_in
from microblog.web.rendering import render
from microblog.web.settings import saved

pages = Blueprint("portraits", __name__)
log = logging.getLogger(__name__)

PREVIEWS = "30/hour"
AWAY = N_(
    "The picture could not be fetched. You can choose one of your own under Settings, Profile."
)
_CHOICES = ("name", "picture")
_SHOWN = "-96.jpg"


@pages.get("/login/<provider_id>/picture")
@public
async def of_newcomer(provider_id: str) -> ResponseReturnValue:
    """What they would take, for the one whom the provider has just vouched for."""
    newcomer = journeys.newcomer(journeys.provider(provider_id))
    if newcomer is None or not newcomer.picture:
        raise NotFound
    await limits.hit(PREVIEWS, f"portrait {address()}")
    return await _preview(newcomer.picture)


@pages.get("/settings/identities/<identity_id>/picture")
@member
async def of_identity(identity_id: str) -> ResponseReturnValue:
    mine = await _mine(identity_id)
    await limits.hit(PREVIEWS, f"portrait {account()}")
    return await _preview(mine.picture)


@pages.get("/settings/identities/<identity_id>")
@member
async def offer(identity_id: str) -> ResponseReturnValue:
    return await _page(await _mine(identity_id), Form(dict.fromkeys(_CHOICES, "")))


@pages.post("/settings/identities/<identity_id>")
@member
@limited("20/hour")
async def take_over(identity_id: str) -> ResponseReturnValue:
    mine = await _mine(identity_id)
    form = await read_form(*_CHOICES, again=lambda form: _page(mine, form))
    made = await _made(mine.picture) if form.checked("picture") else None
    if form.checked("name"):
        async with site().db.writing() as session:
            await accounts.edit_profile(session, me().id, display_name=mine.display_name)
    if made:
        await _show(me().id, made)
    if not (made or form.checked("name")):
        return redirect("/settings/identities", 303)
    return await saved("/settings/profile")


async def give(account_id: int, picture: str) -> None:
    """To an account that has just begun.  Without it, it begins all the same."""
    try:
        await _show(account_id, await _made(picture))
    except (Invalid, NoRoom):
        await flash(translated(AWAY), "notice")


async def _mine(written: str) -> LinkedIdentity:
    identity_id = post_id_in(written)
    async with site().db.reading() as session:
        mine = await linked.identities_of(session, me().id)
    found = next((one for one in mine if one.id == identity_id), None)
    if found is None or not (found.display_name or found.picture):
        raise NotFound
    return found


async def _preview(picture: str) -> ResponseReturnValue:
    """As small as it will be.  It is nobody's picture yet, so nothing of it is kept."""
    try:
        made = await _made(picture)
    except Invalid as refusal:
        raise NotFound from refusal
    headers = {
        "Cache-Control": "private, max-age=600",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(made[_SHOWN], content_type="image/jpeg", headers=headers)


async def _made(picture: str) -> dict[str, bytes]:
    """Raises `Invalid("picture")`."""
    try:
        answer = await site().outbound.get(picture, accept="image/*")
        if answer.status != 200:
            raise Invalid("picture", AWAY)
        return await workshop.make("avatar", answer.content)
    except OutboundFailure as failure:
        log.info("a picture could not be fetched: %s", failure)
        raise Invalid("picture", AWAY) from failure
    except Invalid as refusal:
        raise Invalid("picture", AWAY) from refusal


async def _show(account_id: int, made: dict[str, bytes]) -> None:
    where = store.folder(site().settings.data_dir)
    picture = await asyncio.to_thread(store.keep, where, made)
    async with site().db.writing() as session:
        replaced = await media.change(session, account_id, "avatar", picture, "")
    await asyncio.to_thread(store.remove, where, replaced)


async def _page(identity: LinkedIdentity, form: Form) -> str:
    label = ways_in.providers().get(identity.issuer, identity.issuer)
    return render("settings/identity.html", form=form, identity=identity, provider=label)
