"""What administrators set for the site."""

from __future__ import annotations

from dataclasses import asdict, fields

from quart import Blueprint, ResponseReturnValue

from microblog.moderation import site_settings
from microblog.site import me, site
from microblog.site_settings import actions
from microblog.site_settings.model import INVITERS, MODES, SiteSettings
from microblog.web.access import administrator
from microblog.web.acting import writing_as_me
from microblog.web.forms import Form, read_form
from microblog.web.limits import limited
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render
from microblog.web.settings import saved

pages = Blueprint("admin_settings", __name__)

_FIELDS = tuple(field.name for field in fields(SiteSettings))
_OF_THE_ENVIRONMENT = ("name", "sign_up", "post_limit")


@pages.get("/admin/settings")
@administrator
async def show() -> ResponseReturnValue:
    return await _page(Form(_written(site().chosen)))


@pages.post("/admin/settings")
@administrator
@recently_authenticated
@limited("120/hour")
async def change() -> ResponseReturnValue:
    form = await read_form(*_FIELDS, again=_page)
    async with writing_as_me() as session:
        await site_settings.change(session, me().id, site().defaults, form.values)
    async with site().db.reading() as session:
        await site().refresh(session)  # the log tells this process, too, in a moment
    return await saved("/admin/settings")


def _written(settings: SiteSettings) -> dict[str, str]:
    told = {name: str(value) for name, value in asdict(settings).items()}
    return told | {"rules": "\n".join(settings.rules)}


async def _page(form: Form) -> str:
    defaults = _written(site().defaults)
    return render(
        "admin/settings.html", form=form, modes=MODES, inviters=INVITERS, bounds=actions,
        environment={name: defaults[name] for name in _OF_THE_ENVIRONMENT},
    )  # fmt: skip
