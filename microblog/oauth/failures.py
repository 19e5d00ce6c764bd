"""How a journey ends that brings nobody home.  Every one of them leaves things as they were."""

from __future__ import annotations

from microblog.kernel.errors import N_


class JourneyFailed(Exception):
    """`message` is for the person, with %(provider)s in it; `reason` for the log, without secrets
    or anything the provider wrote."""

    message = N_("The answer of %(provider)s could not be relied on, so nothing was done.")
    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Doubtful(JourneyFailed):
    """Something in the answer is not as it must be."""


class Declined(JourneyFailed):
    """They pressed "cancel" over there, or the provider would not have them."""

    message = N_("%(provider)s did not confirm who you are, so nothing was done.")


class NotAsked(JourneyFailed):
    """They came back as themselves, and nobody knows who sat there."""

    message = N_(
        "%(provider)s did not ask you again, so it does not count as a proof. Confirm that it is"
        " you in another way."
    )


class Away(JourneyFailed):
    """No answer in time, or an answer that says so."""

    message = N_("%(provider)s does not answer just now. Nothing was done; try again in a moment.")
    status = 502
