"""What people say and show of themselves, as they change it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from quart import Blueprint, ResponseReturnValue, request

from microblog.accounts import actions as accounts
from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.accounts.profiles import MOST_LINKS
from microblog.backlinks import actions as backlinks
from microblog.backlinks import findings
from microblog.backlinks import queries as linked_back
from microblog.backlinks.model import VERIFIED, WAITING
from microblog.backlinks.queries import LinkState
from microblog.media import actions as media
from microblog.media import framing, store, workshop
from microblog.media.framing import Framing
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import account, hit, limited
from microblog.web.rendering import render
from microblog.web.settings import saved

pages = Blueprint("profile_settings", __name__)

UPLOADS = "20/hour"  # of pictures, whichever they are for; the forms also take words alone
_LINKS = [(f"link_label_{number}", f"link_url_{number}") for number in range(1, MOST_LINKS + 1)]


@pages.get("/settings/profile")
@member
async def profile() -> ResponseReturnValue:
    return await _profile_page(Form())


@pages.post("/settings/profile")
@member
@limited("60/hour")
async def save_profile() -> ResponseReturnValue:
    names = [name for pair in _LINKS for name in pair]
    form = await read_form(*accounts.PROFILE, *names, again=_profile_page)
    links = [(form[label], form[url]) for label, url in _LINKS]
    words = {field: form[field] for field in accounts.PROFILE}
    async with site().db.writing() as session:
        await accounts.edit_profile(session, me().id, links=links, **words)
        await backlinks.follow_profile(session, me().id)
    return await saved("/settings/profile")


@pages.post("/settings/profile/links")
@member
@limited("12/hour")
async def look_again() -> ResponseReturnValue:
    async with site().db.writing() as session:
        await backlinks.try_again(session, me().id)
    return done("/settings/profile")


@pages.post("/settings/profile/avatar")
@member
@limited("30/hour")
async def save_avatar() -> ResponseReturnValue:
    return await _picture("avatar")


@pages.post("/settings/profile/header")
@member
@limited("30/hour")
async def save_header() -> ResponseReturnValue:
    return await _picture("header")


async def _picture(kind: str) -> ResponseReturnValue:
    """Show a new picture, none, or the one of before with other words."""
    focus = f"{kind}_focus"
    form = await read_form(f"{kind}_alt", focus, "crop", "remove", again=_profile_page)
    alt = media.check_alt(kind, form[f"{kind}_alt"])
    shown = framing.read(kind, form[focus], form["crop"])
    sent = (await request.files).get(kind)
    picture = sent.read() if sent else b""
    if form.checked("remove"):
        async with site().db.writing() as session:
            removed = await media.remove(session, me().id, kind)
        await _drop(removed)
    elif picture or not await _has(kind):
        await _show(kind, picture, shown, alt)
    else:
        async with site().db.writing() as session:
            await media.describe(session, me().id, kind, alt, shown.focus)
    return await saved("/settings/profile")


async def _show(kind: str, picture: bytes, shown: Framing, alt: str) -> None:
    """The files first.  If the row is not written, nobody knows of them and they are swept away."""
    await hit(UPLOADS, f"picture of {account()}")
    parts = await workshop.make(kind, picture, shown)
    made = await asyncio.to_thread(store.keep, _folder(), parts)
    async with site().db.writing() as session:
        replaced = await media.change(session, me().id, kind, made, alt, shown.focus)
    await _drop(replaced)


async def _has(kind: str) -> bool:
    async with site().db.reading() as session:
        return getattr(await people.account(session, me().id), kind) is not None


async def _drop(names: Iterable[str]) -> None:
    await asyncio.to_thread(store.remove, _folder(), names)


def _folder() -> Path:
    return store.folder(site().settings.data_dir)


async def _profile_page(form: Form) -> str:
    """One page of several forms: each leaves the others' fields as they are."""
    async with site().db.reading() as session:
        mine = await people.account(session, me().id)
        states = {one.url: one for one in await linked_back.states_of(session, me().id)}
    form.values = _written(mine) | form.values
    pictures = {kind: getattr(mine, kind) for kind in workshop.SIZES}
    looked_behind = [(states[url], _found(states[url])) for _, url in mine.links if url in states]
    return render(
        "settings/profile.html",
        form=form, link_fields=_LINKS, pictures=pictures, looked_behind=looked_behind,
        focuses=framing.FOCUSES, sizes=workshop.SIZES,
    )  # fmt: skip


def _found(link: LinkState) -> str:
    """In words, what was found behind it."""
    if link.state == WAITING:
        return translated(findings.WAITING)
    if link.state == VERIFIED:
        return translated(findings.VERIFIED)
    return translated(findings.PROBLEMS[link.problem])


def _written(mine: Account) -> dict[str, str]:
    values = dict.fromkeys((name for pair in _LINKS for name in pair), "")
    for field in (*accounts.PROFILE, *(f"{kind}_alt" for kind in workshop.SIZES), "header_focus"):
        values[field] = getattr(mine, field)
    values["avatar_focus"] = framing.MIDDLE
    for fields, link in zip(_LINKS, mine.links, strict=False):
        values |= zip(fields, link, strict=True)
    return values
