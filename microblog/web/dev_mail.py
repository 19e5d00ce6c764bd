"""Kept mails of the development start, readable at ``/dev/mail``.

Registered under ``microblog dev`` only, which binds to loopback only.  Reset links can be read
here, so anything that hints at a proxy or another site's page gets a 404.
"""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, jsonify, request

from microblog.kernel.errors import NotFound
from microblog.mail import queries as mail
from microblog.mail.queries import KeptLetter
from microblog.settings import is_loopback
from microblog.site import site
from microblog.web.access import public
from microblog.web.answers import wants_json
from microblog.web.paging import post_id_in
from microblog.web.rendering import render

pages = Blueprint("dev_mail", __name__)

_PROXIED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "Via",
    "X-Real-IP",
)


@pages.before_request
async def from_this_machine_only() -> None:
    host = request.headers.get("Host", "").rsplit(":", 1)[0].strip("[]")
    proxied = any(name in request.headers for name in _PROXIED)
    named = any(name.lower().startswith("x-forwarded") for name in request.headers.keys())  # noqa: SIM118
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if not is_loopback(host) or proxied or named or foreign:
        raise NotFound


@pages.get("/dev/mail")
@public
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        emails = await mail.kept(session)
    if wants_json():
        return jsonify([{"id": e.id, "to": e.to, "subject": e.subject, "at": e.at.isoformat(),
                         "state": e.state, "kind": e.kind} for e in emails])  # fmt: skip
    return render("dev/mail.html", emails=emails)


@pages.get("/dev/mail/<email_id>")
@public
async def show(email_id: str) -> ResponseReturnValue:
    letter = await _letter(email_id)
    if wants_json():
        facts = {"id": post_id_in(email_id), "to": letter.to, "subject": letter.subject}
        return jsonify(
            facts | {"headers": letter.headers, "text": letter.text, "html": letter.html}
        )
    return render(
        "dev/letter.html", email=letter, text=letter.text, html_src=f"/dev/mail/{email_id}/html"
    )


@pages.get("/dev/mail/<email_id>/html")
@public
async def html(email_id: str) -> ResponseReturnValue:
    letter = await _letter(email_id)
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self';"
        " sandbox allow-top-navigation-by-user-activation allow-popups"
    )
    return letter.html, 200, {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}


async def _letter(written: str) -> KeptLetter:
    async with site().db.reading() as session:
        letter = await mail.kept_letter(session, post_id_in(written))
    if letter is None:
        raise NotFound
    return letter
