"""Signing in through others: leaving, coming back, and the name of who comes for the first time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from quart import Blueprint, ResponseReturnValue, flash, make_response, redirect, request

from microblog.accounts import queries as people
from microblog.accounts.addresses import check_email
from microblog.admissions import applications
from microblog.admissions.applications import Asking
from microblog.admissions.door import admission
from microblog.identities import actions as identities
from microblog.identities import queries as linked
from microblog.identities.model import Identity
from microblog.identities.names import suggested
from microblog.kernel import i18n
from microblog.kernel.errors import N_, Conflict, DomainError, Invalid
from microblog.kernel.model import Session
from microblog.oauth import conversation
from microblog.oauth.failures import Doubtful, JourneyFailed, NotAsked
from microblog.oauth.id_tokens import LEEWAY
from microblog.oauth.vouched import Vouched
from microblog.providers import Provider
from microblog.signin import email_changes, registrations
from microblog.signin.entrance import Entered
from microblog.site import me, site, viewer
from microblog.web import (
    admitting,
    connecting,
    entering,
    journeys,
    languages,
    limits,
    portraits,
    reauthentication,
)
from microblog.web.access import public
from microblog.web.acting import writing_as_me
from microblog.web.admitting import Welcome
from microblog.web.answers import done, error_json, wants_json
from microblog.web.forms import Form, read_form
from microblog.web.journeys import Journey, Newcomer
from microblog.web.languages import translated
from microblog.web.limits import address, limited
from microblog.web.redirects import safe_path
from microblog.web.register import PER_NETWORK, entered_or_waiting
from microblog.web.rendering import render
from microblog.web.shut_out import elsewhere
from microblog.web.ways_in import means_of

pages = Blueprint("providers", __name__)
log = logging.getLogger(__name__)

JOURNEYS = "120/hour"
LONGEST_CODE = 80  # of an invitation
# Of pages whose address may have a provider's answer in it.
SECRET = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_FIELDS = ("username", "display_name", "picture", "time_zone", "reason")
LINKED = N_("Linked. You can sign in with %(provider)s now.")


@pages.get("/login/<provider_id>")
@public
async def leave(provider_id: str) -> ResponseReturnValue:
    provider = journeys.provider(provider_id)
    wanted = safe_path(request.args.get("next", ""))
    if viewer() is not None:
        return redirect(wanted, 303)
    await limits.hit(JOURNEYS, f"journey {address()}")
    invitation = request.args.get("invitation", "")[:LONGEST_CODE]
    try:
        url = await journeys.begin(provider, "sign-in", wanted, invitation=invitation)
        return redirect(url, 303)
    except JourneyFailed as failure:
        return await failed(provider, failure)


@pages.get("/login/<provider_id>/callback")
@public
async def come_back(provider_id: str) -> ResponseReturnValue:
    provider = journeys.provider(provider_id)
    answer = request.args.to_dict()
    journey = None
    try:
        journey = journeys.come_back(provider, answer.get("state", ""))
        async with site().db.writing() as session:
            await identities.spend(session, journey.state, journey.ends_at)
        if journey.purpose == journeys.POST:
            return await connecting.arrive(provider, journey, answer)
        who = await conversation.returned(
            provider, journeys.redirect_uri(provider), journey.secrets, answer
        )
        return await _ARRIVE[journey.purpose](provider, journey, _with_usable_email(who))
    except (JourneyFailed, Conflict) as failure:
        return await failed(provider, failure, journey)


@pages.get("/login/<provider_id>/name")
@public
async def choose_name(provider_id: str) -> ResponseReturnValue:
    provider = journeys.provider(provider_id)
    if (newcomer := journeys.newcomer(provider)) is None:
        return redirect("/login", 303)
    async with site().db.reading() as session:
        name = await suggested(session, newcomer.name, newcomer.display_name)
    given = {"username": name, "display_name": newcomer.display_name}
    form = Form({**dict.fromkeys(_FIELDS, ""), **given})
    return await _name_page(form, provider=provider, newcomer=newcomer)


@pages.post("/login/<provider_id>/name")
@public
@limited("60/hour", by=address)
async def begin(provider_id: str) -> ResponseReturnValue:
    provider = journeys.provider(provider_id)
    if (newcomer := journeys.newcomer(provider)) is None:
        return done("/login")
    again = partial(_name_page, provider=provider, newcomer=newcomer)
    form = await read_form(*_FIELDS, again=again)
    await limits.hit(PER_NETWORK, f"registration {address()}")
    async with site().db.writing() as session:
        way = await _begin_account(session, newcomer, form)
    journeys.forget_newcomer()
    if way is not None and newcomer.picture and form.checked("picture"):
        await portraits.give(way.account_id, newcomer.picture)
    return entered_or_waiting(way)


async def failed(
    provider: Provider, failure: JourneyFailed | DomainError, journey: Journey | None = None
) -> ResponseReturnValue:
    """A page that says what happened and where to go on; of a `journey` for a proof, the page that
    asks for one, with the form that waits."""
    status = failure.status if isinstance(failure, JourneyFailed) else 409
    if isinstance(failure, JourneyFailed):
        log.warning("sign-in through %s: %s", provider.id, failure.reason)
    sentence = translated(failure.message, {"provider": provider.label})
    if wants_json():
        return error_json(sentence, status)
    if journey is not None and journey.purpose == "prove":
        form = Form({"next": journey.next, **journey.kept})
        form.errors[""] = sentence
        return await reauthentication.page(form), status, SECRET
    purpose = journey.purpose if journey is not None else ""
    page = render(
        "signin/provider_failed.html", provider=provider, message=sentence, purpose=purpose
    )
    return page, status, SECRET


async def _sign_in(provider: Provider, journey: Journey, who: Vouched) -> ResponseReturnValue:
    async with site().db.writing() as session:
        found = await linked.identity(session, who)
        if found is not None:
            return await _come_in(session, journey, found, who)
        welcome = await admitting.welcome(session, journey.invitation)
        waits = await applications.is_waiting(session, who.issuer, who.subject)
        if not waits:
            await identities.refuse_known_email(session, who)
    if waits and not welcome.inviter:
        return redirect("/register/waiting", 303)
    if welcome.turned_away:
        return _turned_away(welcome)
    journeys.keep_newcomer(journey, who)
    return redirect(f"/login/{provider.id}/name", 303)


async def _come_in(
    session: Session, journey: Journey, found: Identity, who: Vouched
) -> ResponseReturnValue:
    wanted = await _first_page(session, journey, found, who)
    await identities.note_use(session, found, who)
    if link := await elsewhere(session, found.account_id):
        return redirect(link, 303)
    proven = _is_fresh(journey, who) or not await means_of(session, found.account_id)
    way = await entering.enter(
        session, found.account_id, remembered=False, next_path=wanted, proven=proven
    )
    return entering.entered(way)


async def _first_page(session: Session, journey: Journey, found: Identity, who: Vouched) -> str:
    """What they wanted; else, once, the offer of their picture for those who were let in by a
    moderator: nobody could ask them before."""
    wanted = safe_path(journey.next)
    is_news = bool(who.picture) and not found.picture
    if wanted != "/" or not is_news or (await people.account(session, found.account_id)).avatar:
        return wanted
    return f"/settings/identities/{found.id}"


def _is_fresh(journey: Journey, who: Vouched) -> bool:
    """Whether the provider says that it asked who is there on this journey.  One that says nothing
    may have had a session open, which whoever sits there has found."""
    return who.proven_at is not None and who.proven_at >= journey.began_at - LEEWAY


def _turned_away(welcome: Welcome) -> ResponseReturnValue:
    """Nobody new comes in like that; who has an account of the same provider does."""
    if wants_json():
        return error_json(welcome.turned_away, 403)
    page = render("signin/turned_away.html", welcome=welcome)
    return page, 403, SECRET


async def _link(provider: Provider, _journey: Journey, who: Vouched) -> ResponseReturnValue:
    async with writing_as_me() as session:
        await identities.link(session, me().id, who, provider.label)
    await flash(translated(LINKED, {"provider": provider.label}), "notice")
    return redirect("/settings/identities", 303)


async def _prove(_provider: Provider, journey: Journey, who: Vouched) -> ResponseReturnValue:
    """The same person once more, whom the provider has just asked."""
    if not _is_fresh(journey, who):
        raise NotAsked("no fresh proof")
    async with site().db.reading() as session:
        found = await linked.identity(session, who)
    if found is None or found.account_id != me().id:
        raise Doubtful("that is somebody else")
    await reauthentication.proven()
    form = Form({"next": journey.next, **journey.kept})
    answer = await make_response(reauthentication.go_on(form))
    answer.headers.update(SECRET)
    return answer


_ARRIVE: dict[str, Callable[[Provider, Journey, Vouched], Awaitable[ResponseReturnValue]]] = {
    "sign-in": _sign_in,
    "link": _link,
    "prove": _prove,
}


async def _begin_account(session: Session, newcomer: Newcomer, form: Form) -> Entered | None:
    """None when they have applied for it."""
    spoken = languages.language()
    who = newcomer.vouched
    code = admitting.invitation_id(newcomer.invitation)
    admitted = await admission(session, admitting.door(), code)
    if who.email and await email_changes.is_reserved(session, who.email):
        raise Conflict("", identities.KNOWN_EMAIL)
    if admitted.applies:
        await _apply(session, who, form)
        return None
    account = await identities.begin_account(
        session, who, name=form["username"], display_name=form["display_name"],
        language=None if spoken == i18n.DEFAULT else spoken, time_zone=form["time_zone"] or None,
    )  # fmt: skip
    if account.email:
        await registrations.forget(session, account.email)
    await registrations.welcome(session, account, admitted)
    await applications.overtaken_at(session, who.issuer, who.subject)
    return await entering.enter(
        session, account.id, remembered=False, next_path=safe_path(newcomer.next), quiet=True
    )


async def _apply(session: Session, who: Vouched, form: Form) -> None:
    """What waits for an address that the provider vouches for is theirs, and replaced."""
    await identities.refuse_known_email(session, who)
    spoken = languages.language()
    asking = Asking(
        form["username"], applications.check_reason(form["reason"]), email=who.email,
        display_name=form["display_name"], issuer=who.issuer, subject=who.subject,
        shown=who.name or who.display_name, time_zone=form["time_zone"] or None,
        language=None if spoken == i18n.DEFAULT else spoken,
    )  # fmt: skip
    if who.email:
        await registrations.forget(session, who.email)
    await applications.file(session, asking, proven=True)


def _with_usable_email(who: Vouched) -> Vouched:
    """Without an address that cannot stand here."""
    try:
        return replace(who, email=check_email(who.email) if who.email else None)
    except Invalid:
        return replace(who, email=None)


async def _name_page(form: Form, *, provider: Provider, newcomer: Newcomer) -> str:
    async with site().db.reading() as session:
        welcome = await admitting.welcome(session, newcomer.invitation)
    if welcome.turned_away:
        return render("signin/turned_away.html", welcome=welcome)
    return render(
        "signin/choose_name.html", form=form, provider=provider, email=newcomer.email,
        welcome=welcome, picture=newcomer.picture and not welcome.applies,
    )  # fmt: skip
