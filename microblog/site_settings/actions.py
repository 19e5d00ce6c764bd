"""Setting it.  Whoever calls these looks who may, and writes it into the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from sqlalchemy import delete

from microblog.accounts.addresses import check_email
from microblog.kernel import text as texts
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.site_settings.model import INVITERS, MODES, SiteSetting, SiteSettings
from microblog.site_settings.queries import chosen

LONGEST_NAME = 60
LONGEST_DESCRIPTION = 500
MOST_RULES = 20
LONGEST_RULE = 300
POST_LIMITS = (50, 5000)
INVITATIONS = (0, 100)

NAMELESS = N_("A site needs a name.")
LONG = N_("That is too long: at most %(limit)s characters.")
MANY_RULES = N_("At most %(limit)s rules, one on each line.")
LONG_RULE = N_("A rule may have %(limit)s characters.")
RANGE = N_("Write a number between %(low)s and %(high)s.")


async def save(
    session: Session, defaults: SiteSettings, written: Mapping[str, str]
) -> dict[str, tuple[Any, Any]]:
    """Keep what was typed into all fields; what changed, each with its value before and after.

    Raises `Invalid` for all fields at once.
    """
    before, after = await chosen(session, defaults), checked(written, defaults)
    changed = {}
    for name in (field.name for field in fields(SiteSettings)):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            await session.execute(delete(SiteSetting).where(SiteSetting.name == name))
            if new != getattr(defaults, name):
                session.add(SiteSetting(name=name, value=new))
            changed[name] = (old, new)
    await session.flush()
    return changed


def checked(written: Mapping[str, str], defaults: SiteSettings) -> SiteSettings:
    """From what was typed.  A number of the environment may stay whatever it is."""
    checks: dict[str, Callable[[str], Any]] = {
        "name": _name,
        "description": _description,
        "rules": _rules,
        "sign_up": partial(_one_of, "sign_up", MODES),
        "inviters": partial(_one_of, "inviters", INVITERS),
        "invitations_each": partial(_number, "invitations_each", INVITATIONS, None),
        "post_limit": partial(_number, "post_limit", POST_LIMITS, defaults.post_limit),
        "contact_name": partial(_line, "contact_name", LONGEST_NAME),
        "contact_email": _email,
    }
    values, refusals = {}, []
    for name, check in checks.items():
        try:
            values[name] = check(written.get(name, ""))
        except Invalid as refusal:
            refusals.append(refusal)
    if refusals:
        raise Invalid.together(refusals)
    return SiteSettings(**values)


def _name(written: str) -> str:
    if texts.is_blank(texts.one_line(written)):
        raise Invalid("name", NAMELESS)
    return _line("name", LONGEST_NAME, written)


def _line(field: str, limit: int, written: str) -> str:
    return _short_enough(field, limit, texts.one_line(written))


def _description(written: str) -> str:
    return _short_enough("description", LONGEST_DESCRIPTION, texts.tidy(written))


def _rules(written: str) -> tuple[str, ...]:
    """One on each line."""
    lines = [texts.one_line(line) for line in texts.tidy(written).splitlines()]
    rules = tuple(line for line in lines if not texts.is_blank(line))
    if len(rules) > MOST_RULES:
        raise Invalid("rules", MANY_RULES, limit=MOST_RULES)
    if any(len(rule) > LONGEST_RULE for rule in rules):
        raise Invalid("rules", LONG_RULE, limit=LONGEST_RULE)
    return rules


def _one_of(field: str, allowed: Collection[str], written: str) -> str:
    if written not in allowed:
        raise Invalid(field, N_("Choose one of the list."))
    return written


def _number(field: str, between: tuple[int, int], always: int | None, written: str) -> int:
    low, high = between
    typed = texts.one_line(written)
    found = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1
    if not (low <= found <= high or found == always):
        raise Invalid(field, RANGE, low=low, high=high)
    return found


def _email(written: str) -> str:
    if texts.is_blank(written):
        return ""
    try:
        return check_email(written)
    except Invalid as refusal:
        (sentence, _values) = refusal.errors["email"]
        raise Invalid("contact_email", sentence) from refusal


def _short_enough(field: str, limit: int, said: str) -> str:
    if len(said) > limit:
        raise Invalid(field, LONG, limit=limit)
    return said
