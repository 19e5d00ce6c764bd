"""What someone sees who must sign in first.  A text they had written stays with them."""

from __future__ import annotations

from urllib.parse import quote

from quart import ResponseReturnValue, redirect, request

from microblog.kernel.errors import N_
from microblog.web import typed
from microblog.web.answers import error_json, wants_json
from microblog.web.forms import Form
from microblog.web.languages import translated
from microblog.web.rendering import render

SIGNED_OUT = N_("You are signed out. Sign in to go on.")


async def ask_to_sign_in() -> ResponseReturnValue:
    if wants_json():
        return error_json(translated(SIGNED_OUT), 401)
    if request.method in ("GET", "HEAD"):
        back = request.full_path.rstrip("?")
        return redirect(f"/login?next={quote(back)}", 303)
    form = Form({"login": "", "password": "", "remember": "", "next": _way_back()})
    form.errors[""] = translated(SIGNED_OUT)
    page = render("signin/login.html", form=form, draft=typed.words())
    return page, 401


def _way_back() -> str:
    """The page the form was on is not known for sure; composing goes to the composer."""
    return "/posts/new" if request.path == "/posts" else "/"
