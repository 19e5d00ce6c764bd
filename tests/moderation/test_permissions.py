"""The table of who may do what, cell by cell, written out once more by hand."""

from __future__ import annotations

from itertools import product

import pytest

from microblog.moderation.permissions import (
    MAY,
    MAY_ALONE,
    MAY_INVITE,
    ROLES,
    STAFF,
    is_staff,
    may,
    may_alone,
)
from microblog.site_settings.model import INVITERS

ON_MEMBERS = {
    "suspend", "lift", "silence", "unsilence", "end_sessions", "delete_post", "decide_appeal",
    "withdraw_invitation",
}  # fmt: skip
ALLOWED = {
    *(("moderator", act, "member") for act in ON_MEMBERS),
    *(("moderator", "dismiss_report", role) for role in ROLES),
    *(("administrator", act, role) for act in MAY for role in ROLES),
}


@pytest.mark.parametrize(("actor", "act", "target"), list(product(ROLES, MAY, ROLES)))
def test_a_cell(actor: str, act: str, target: str) -> None:
    assert may(act, actor, target) is ((actor, act, target) in ALLOWED)


ALONE = {
    ("moderator", "decide_application"), ("administrator", "decide_application"),
    ("administrator", "change_settings"), ("administrator", "see_applicant_address"),
    ("administrator", "ban"),
}  # fmt: skip
INVITING = {
    ("members", "member"), ("members", "moderator"), ("members", "administrator"),
    ("staff", "moderator"), ("staff", "administrator"), ("administrators", "administrator"),
}  # fmt: skip


@pytest.mark.parametrize(("actor", "act"), list(product(ROLES, MAY_ALONE)))
def test_a_cell_of_what_is_done_to_nobody(actor: str, act: str) -> None:
    assert may_alone(act, actor) is ((actor, act) in ALONE)


@pytest.mark.parametrize(("inviters", "actor"), list(product(INVITERS, ROLES)))
def test_a_cell_of_who_may_invite(inviters: str, actor: str) -> None:
    assert (actor in MAY_INVITE[inviters]) is ((inviters, actor) in INVITING)


def test_members_may_nothing_and_no_moderator_gives_roles_or_acts_on_an_administrator() -> None:
    assert not any(may(act, "member", role) for act in MAY for role in ROLES)
    assert not any(may_alone(act, "member") for act in MAY_ALONE)
    assert not any(may("set_role", "moderator", role) for role in ROLES)
    for act in set(MAY) - {"dismiss_report"}:
        assert not may(act, "moderator", "administrator")
        assert not may(act, "moderator", "moderator")
    assert [role for role in ROLES if is_staff(role)] == list(STAFF)
