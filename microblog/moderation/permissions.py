"""Who may do what to whom: the whole of it is the table below (SECURITY 35, 47).

Nobody acts on themselves, whatever the table says; so the last administrator stays one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MEMBER, MODERATOR, ADMINISTRATOR = ROLES = ("member", "moderator", "administrator")
STAFF = (MODERATOR, ADMINISTRATOR)

_NOBODY: frozenset[str] = frozenset()
_MEMBERS = frozenset({MEMBER})
_EVERYBODY = frozenset(ROLES)

# Act -> role of who acts -> roles of those it may be done to.
MAY: Mapping[str, Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        act: {MEMBER: _NOBODY, MODERATOR: moderator, ADMINISTRATOR: administrator}
        for act, moderator, administrator in (
            ("suspend", _MEMBERS, _EVERYBODY),
            ("lift", _MEMBERS, _EVERYBODY),
            ("silence", _MEMBERS, _EVERYBODY),
            ("unsilence", _MEMBERS, _EVERYBODY),
            ("end_sessions", _MEMBERS, _EVERYBODY),
            ("reset_two_factor", _NOBODY, _EVERYBODY),
            ("delete_post", _MEMBERS, _EVERYBODY),
            ("dismiss_report", _EVERYBODY, _EVERYBODY),
            ("decide_appeal", _MEMBERS, _EVERYBODY),
            ("set_role", _NOBODY, _EVERYBODY),
            ("see_address", _NOBODY, _EVERYBODY),
            ("withdraw_invitation", _MEMBERS, _EVERYBODY),
        )
    }
)

# Act that is done to nobody -> roles that may.
MAY_ALONE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ban": (ADMINISTRATOR,),
        "change_settings": (ADMINISTRATOR,),
        "decide_application": STAFF,
        "see_applicant_address": (ADMINISTRATOR,),
    }
)

# What the site settings say of who may invite -> roles that may.
MAY_INVITE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"members": ROLES, "staff": STAFF, "administrators": (ADMINISTRATOR,)}
)


def may(act: str, actor_role: str, target_role: str) -> bool:
    return target_role in MAY[act][actor_role]


def may_alone(act: str, role: str) -> bool:
    return role in MAY_ALONE[act]


def is_staff(role: str) -> bool:
    return role in STAFF
