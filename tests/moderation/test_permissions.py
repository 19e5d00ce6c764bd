"""The table of who may do what, cell by cell, written out once more by hand."""

from __future__ import annotations

from itertools import product

import pytest

from microblog.moderation.permissions import MAY, ROLES, STAFF, is_staff, may

ON_MEMBERS = {
    "suspend", "lift", "silence", "unsilence", "end_sessions", "delete_post", "decide_appeal",
}  # fmt: skip
ALLOWED = {
    *(("moderator", act, "member") for act in ON_MEMBERS),
    *(("moderator", "dismiss_report", role) for role in ROLES),
    *(("administrator", act, role) for act in MAY for role in ROLES),
}


@pytest.mark.parametrize(("actor", "act", "target"), list(product(ROLES, MAY, ROLES)))
def test_a_cell(actor: str, act: str, target: str) -> None:
    assert may(act, actor, target) is ((actor, act, target) in ALLOWED)


def test_members_may_nothing_and_no_moderator_gives_roles_or_acts_on_an_administrator() -> None:
    assert not any(may(act, "member", role) for act in MAY for role in ROLES)
    assert not any(may("set_role", "moderator", role) for role in ROLES)
    for act in set(MAY) - {"dismiss_report"}:
        assert not may(act, "moderator", "administrator")
        assert not may(act, "moderator", "moderator")
    assert [role for role in ROLES if is_staff(role)] == list(STAFF)
