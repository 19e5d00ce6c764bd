"""Which ways in this site has: passwords, unless it goes without them, and its providers; and which
of them are one's own, so that the last is never taken away.

@pages.post("/login")
@public
@needs_passwords
async def sign_in() -> ResponseReturnValue: ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from quart import Quart, current_app, request

from microblog.accounts import queries as accounts
from microblog.identities import queries as linked
from microblog.kernel.errors import N_, Forbidden
from microblog.kernel.model import Session
from microblog.providers import Provider
from microblog.signin import passkeys
from microblog.signin import queries as logins
from microblog.signin.passkeys import PasskeyView
from microblog.site import me, site
from microblog.web.journeys import linked_providers


@dataclass(frozen=True, slots=True)
class Means:
    """With which somebody who is signed in can show once more who they are."""

    has_password: bool
    providers: list[Provider]  # of those linked, the ones that really ask
    passkeys: list[PasskeyView]
    email: str  # to which a code can be mailed; "" where there is a password, or no mail

    def __bool__(self) -> bool:
        return bool(self.has_password or self.providers or self.passkeys or self.email)


View = TypeVar("View", bound=Callable[..., Any])

WITHOUT = N_("This site goes without passwords. Sign in with one of the ways it offers.")


def needs_passwords(view: View) -> View:
    """Declares that a route is of no use where nobody signs in with a password."""
    view.needs_passwords = True  # type: ignore[attr-defined]
    return view


def install(app: Quart) -> None:
    @app.before_request
    async def enforce() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if getattr(view, "needs_passwords", False) and not site().settings.has_passwords:
            raise Forbidden(WITHOUT)


def providers() -> dict[str, str]:
    """Label of each provider through which this site signs in, by issuer."""
    return {one.issuer: one.label for one in site().settings.providers}


async def means_of(session: Session, account_id: int) -> Means:
    """A password of before the site went without is none: who forgot it can have no other."""
    owner = await accounts.account(session, account_id)
    has_password = site().settings.has_passwords and owner.password_hash is not None
    can_mail = site().settings.sends_mail and not owner.mail_refusal and not has_password
    return Means(
        has_password,
        [one for one in await linked_providers(session, account_id) if one.asks_again],
        await passkeys.passkeys_of(session, account_id),
        (owner.email or "") if can_mail else "",
    )


async def by_password(session: Session) -> bool:
    """Whether mine lets me in."""
    mine = await logins.credentials_of(session, me().id)
    return site().settings.has_passwords and mine.password_hash is not None


async def by_provider(session: Session) -> bool:
    """Whether one of those that I have linked lets me in."""
    usable = providers()
    return any(one.issuer in usable for one in await linked.identities_of(session, me().id))
