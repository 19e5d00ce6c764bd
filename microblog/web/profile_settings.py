"""What people say of themselves, as they change it."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue

from microblog.accounts import actions as accounts
from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.accounts.profiles import MOST_LINKS
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.forms import Form, read_form
from microblog.web.limits import limited
from microblog.web.rendering import render
from microblog.web.settings import saved

pages = Blueprint("profile_settings", __name__)

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
    return await saved("/settings/profile")


async def _profile_page(form: Form) -> str:
    """One page of several forms: each leaves the others' fields as they are."""
    async with site().db.reading() as session:
        mine = await people.account(session, me().id)
    form.values = _written(mine) | form.values
    return render("settings/profile.html", form=form, link_fields=_LINKS)


def _written(mine: Account) -> dict[str, str]:
    values = {field: str(getattr(mine, field)) for field in accounts.PROFILE}
    for fields, link in zip(_LINKS, mine.links, strict=False):
        values |= zip(fields, link, strict=True)
    return values
