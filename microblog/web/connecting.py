"""Coming back with leave to post: for an account over there that is linked to this one."""

from __future__ import annotations

from collections.abc import Mapping

from quart import ResponseReturnValue, flash, redirect

from microblog.crossposts import places
from microblog.crossposts.keys import PURPOSE, Keys, expiring
from microblog.crossposts.places import Offer
from microblog.identities import queries as linked
from microblog.kernel.errors import N_
from microblog.kernel.sealing import Seal
from microblog.oauth import posting
from microblog.oauth.failures import JourneyFailed
from microblog.oauth.posting import Door
from microblog.providers import Provider
from microblog.site import me, site
from microblog.web import journeys
from microblog.web.acting import writing_as_me
from microblog.web.journeys import Journey
from microblog.web.languages import translated

CONNECTED = N_("Connected. Posts go there when you switch it on under what you write.")
CHOOSE = N_("Choose the Page to which your posts may be copied.")


class SomebodyElse(JourneyFailed):
    message = N_(
        "That is not the account at %(provider)s that you linked here, so nothing was connected."
    )


async def arrive(
    provider: Provider, journey: Journey, answer: Mapping[str, str]
) -> ResponseReturnValue:
    found = await posting.granted(
        provider, journeys.redirect_uri(provider), journey.secrets, answer
    )
    offers = [_offer(door) for door in found.doors]
    async with writing_as_me() as session:
        mine = await linked.identity(session, found.who)
        if mine is None or mine.account_id != me().id:
            raise SomebodyElse("not linked to this account")
        several = await places.connect(session, seal(), me().id, mine.id, provider.kind, offers)
    await flash(translated(CHOOSE if several else CONNECTED), "notice")
    return redirect("/settings/sharing", 303)


def seal() -> Seal:
    settings = site().settings
    return Seal.of(PURPOSE, settings.secret_key, settings.secret_key_old)


def _offer(door: Door) -> Offer:
    keys = expiring(Keys(door.access, door.refresh), door.expires_in)
    return Offer(door.external_id, door.shown, keys)
