"""Passkeys: signing in with one, and one's own in the settings."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, flash, redirect, request

from microblog.kernel import tokens
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.signin import passkeys
from microblog.site import me, site, viewer
from microblog.web import challenges, entering, shut_out, ways_in
from microblog.web.access import member, public
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import address, limited
from microblog.web.reauthentication import recently_authenticated
from microblog.web.redirects import safe_path
from microblog.web.rendering import render

pages = Blueprint("passkeys", __name__)

HERE = "/settings/passkeys"

ADDED = N_("Added. You can sign in with it now.")
REMOVED = N_("Removed. It no longer signs you in.")


@pages.get("/login/with-passkey")
@public
async def ask() -> ResponseReturnValue:
    wanted = request.args.get("next", "")
    if viewer() is not None:
        return redirect(safe_path(wanted), 303)
    return await _sign_in_page(Form({"next": wanted}))


@pages.post("/login/with-passkey")
@public
@limited("100/15 minutes", by=address)
async def sign_in() -> ResponseReturnValue:
    form = await read_form("credential", "next", "time_zone", again=_sign_in_page)
    challenge, here = challenges.returned("sign-in"), await challenges.relying_party()
    async with site().db.writing() as session:
        signed = await challenges.spend(session, challenge)
        account_id = await passkeys.owner(session, here, signed, form["credential"])
        if link := await shut_out.elsewhere(session, account_id, proven_twice=True):
            return done(link)
        way = await entering.enter(
            session, account_id,
            remembered=False, next_path=safe_path(form["next"]), proven_twice=True,
        )  # fmt: skip
    return entering.entered(way)


@pages.get(HERE)
@member
@recently_authenticated
async def index() -> ResponseReturnValue:
    return await _page(Form({"name": ""}))


@pages.post(HERE)
@member
@recently_authenticated
@limited("30/hour")
async def add() -> ResponseReturnValue:
    form = await read_form("credential", "name", again=_page)
    challenge, here = challenges.returned(f"add {me().id}"), await challenges.relying_party()
    async with writing_as_me() as session:
        signed = await challenges.spend(session, challenge)
        await passkeys.add(session, here, me().id, signed, form["credential"], form["name"])
    return await _done(ADDED)


@pages.post(f"{HERE}/remove")
@member
@recently_authenticated
@limited("60/hour")
async def remove() -> ResponseReturnValue:
    form = await read_form("passkey", "name", again=_page)
    which = form["passkey"]
    if not (which.isascii() and which.isdigit() and len(which) <= 19):
        raise NotFound
    async with writing_as_me() as session:
        otherwise = await _has_other_way(session)
        await passkeys.remove(session, me().id, min(int(which), LARGEST), otherwise=otherwise)
    return await _done(REMOVED)


async def _has_other_way(session: Session) -> bool:
    return await ways_in.by_password(session) or await ways_in.by_provider(session)


async def _done(sentence: str) -> ResponseReturnValue:
    if not wants_json():
        await flash(translated(sentence), "notice")
    return done(HERE)


async def _sign_in_page(form: Form) -> str:
    options = passkeys.to_get(await challenges.relying_party(), challenges.new("sign-in"))
    return render("signin/passkey.html", form=form, options=options)


async def _page(form: Form) -> str:
    handle = tokens.sign(tokens.key_for(site().settings.secret_key, "passkeys"), str(me().id))
    here = await challenges.relying_party()
    async with site().db.reading() as session:
        mine = await passkeys.passkeys_of(session, me().id)
        otherwise = await _has_other_way(session)
        options = await passkeys.to_create(
            session, here, me().id, name=me().name,
            handle=bytes.fromhex(handle), challenge=challenges.new(f"add {me().id}"),
        )  # fmt: skip
    return render(
        "settings/passkeys.html",
        form=form,
        passkeys=mine,
        options=options,
        is_only=len(mine) == 1 and not otherwise,
    )
