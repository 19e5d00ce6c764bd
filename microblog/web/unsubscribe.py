"""Stopping one kind of mail from a link in it, without signing in (RFC 8058)."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, ResponseReturnValue, jsonify

from microblog.kernel import tokens
from microblog.kernel.errors import N_, NotFound
from microblog.notifications import actions
from microblog.notifications.unsubscribe import Unsubscription, asked_by
from microblog.site import site
from microblog.web.access import public, without_token
from microblog.web.answers import wants_json
from microblog.web.languages import translated
from microblog.web.limits import unlimited
from microblog.web.rendering import render

pages = Blueprint("unsubscribe", __name__)

UNKNOWN = N_(
    "This link does not stop any mail. It may be cut off, or your address has changed since."
    " Sign in to choose which mail you get."
)
ABOUT = {
    "follow": N_("new followers"),
    "request": N_("requests to follow you"),
    "accept": N_("answers to your requests"),
    "mention": N_("mentions of you"),
    "reply": N_("replies to you"),
    "digest": N_("new followers, requests, mentions and replies"),
}


@pages.get("/u/<token>")
@public
async def show(token: str) -> ResponseReturnValue:
    """Changes nothing: mail programs and scanners fetch links by themselves."""
    return _page(await _asked(token), token, done=False)


@pages.post("/u/<token>")
@public
@without_token("RFC 8058: mail providers send it, without cookies, tokens or an Origin")
@unlimited("it needs a signed link, and a provider sends those of all its people")
async def stop(token: str) -> ResponseReturnValue:
    asked = await _asked(token)
    async with site().db.writing() as session:
        for kind in asked.kinds:
            await actions.mute_mail(session, asked.account_id, kind)
    if wants_json():
        return jsonify({"stopped": list(asked.kinds)})
    return _page(asked, token, done=True)


async def _asked(token: str) -> Unsubscription:
    async with site().db.reading() as session:
        found = await asked_by(session, _keys(), token)
    if found is None:
        raise NotFound(UNKNOWN)
    return found


def _keys() -> list[bytes]:
    """The present key, and the one before a rotation."""
    old = site().settings.secret_key_old
    return [site().unsubscribe_key, *([tokens.key_for(old, "unsubscribe")] if old else [])]


def _page(asked: Unsubscription, token: str, **state: Any) -> str:  # noqa: ANN401
    about = translated(ABOUT[asked.kind])
    address = _masked(asked.address)
    return render("unsubscribe/show.html", kind=about, address=address, token=token, **state)


def _masked(address: str) -> str:
    """Enough for its owner to know it by: links get forwarded with the mail."""
    name, _at, host = address.rpartition("@")
    return f"{name[:1]}…@{host}"
