"""The devices someone is signed in on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quart import Blueprint, ResponseReturnValue, flash

from microblog.kernel.errors import N_, NotFound
from microblog.kernel.ids import LARGEST
from microblog.signin import actions, user_agents
from microblog.signin import queries as logins
from microblog.signin.queries import Device
from microblog.site import me, site
from microblog.web import identity
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done, wants_json
from microblog.web.forms import read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render
from microblog.web.whereabouts import whereabouts

pages = Blueprint("sessions", __name__)

ENDED = N_("Signed out there. Its open pages are closed.")
OTHERS_ENDED = N_("All other devices are signed out.")


@dataclass(frozen=True, slots=True)
class DeviceView:
    id: int
    device: str
    place: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


@pages.get("/settings/sessions")
@member
async def index() -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await logins.devices(session, me().id)
    return render("settings/sessions.html", sessions=[_shown(device) for device in found])


@pages.post("/settings/sessions")
@member
@recently_authenticated
@limited("120/hour")
async def end() -> ResponseReturnValue:
    """`end` is the id of one of one's own, or "others"."""
    which = (await read_form("end"))["end"]
    async with writing_as_me() as session:
        if which == "others":
            await actions.end_others(session, me().id, me().session_id)
        else:
            await actions.end_device(session, _id(which), me().id)
    if which == str(me().session_id):
        identity.sign_out()
        return done("/")
    if not wants_json():
        await flash(translated(OTHERS_ENDED if which == "others" else ENDED), "notice")
    return done("/settings/sessions")


def _id(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 19):
        raise NotFound
    return min(int(written), LARGEST)


def _shown(device: Device) -> DeviceView:
    browser = user_agents.browser(device.user_agent) or translated(N_("Unknown browser"))
    system = user_agents.system(device.user_agent)
    words = N_("%(browser)s on %(system)s")
    name = translated(words, {"browser": browser, "system": system}) if system else browser
    current = device.id == me().session_id
    place = whereabouts(device.language, device.time_zone)
    return DeviceView(device.id, name, place, device.created_at, device.last_seen_at, current)
