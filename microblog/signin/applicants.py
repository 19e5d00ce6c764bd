"""Someone who asks for an account, with what they typed checked all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from microblog.accounts.addresses import check_email
from microblog.accounts.names import check_name
from microblog.admissions.applications import check_reason
from microblog.kernel import i18n
from microblog.kernel.errors import Invalid
from microblog.signin.passwords import check_password


@dataclass(frozen=True, slots=True)
class Applicant:
    name: str
    email: str
    language: str | None = None  # None: whatever their browser asks for
    time_zone: str | None = None
    reason: str = ""  # why they would like to be here, where that is asked
    invitation_id: int | None = None


def check_applicant(
    *,
    name: str,
    email: str,
    password: str,
    language: str | None = None,
    time_zone: str | None = None,
    site_words: Iterable[str] = (),
    reason: str | None = None,
) -> Applicant:
    """Raises one `Invalid` about username, email, password and reason together; None: not asked."""
    refusals: list[Invalid] = []

    def tried(check: Callable[[str], str], written: str) -> str:
        try:
            return check(written)
        except Invalid as refusal:
            refusals.append(refusal)
            return ""

    name, email = tried(check_name, name), tried(check_email, email)
    said = tried(check_reason, reason) if reason is not None else ""
    try:
        check_password(password, name, email, site_words)
    except Invalid as refusal:
        refusals.append(refusal)
    if refusals:
        raise Invalid.together(refusals)
    # Everybody gets English who asks for nothing else, so it need not be a setting of theirs.
    language = None if language == i18n.DEFAULT else language
    return Applicant(name, email, language, time_zone or None, said)
