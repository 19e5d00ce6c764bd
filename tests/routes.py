"""Werkzeug writes, parses and compiles two functions for each of 160 routes, each time an app is
made: 40 of the 120 ms that a small test of a page takes.  They follow from the route alone, so all
apps of a process share those that the first one made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def share() -> None:
    if not hasattr(Rule, "_compile_builder") or not hasattr(Rule, "_trace"):
        return  # another Werkzeug: slower, and right
    compile_builder = Rule._compile_builder
    known: dict[tuple[Any, ...], Builder] = {}

    def shared(rule: Rule, append_unknown: bool = True) -> Builder:
        made_of = (rule.rule, *rule._trace, repr(rule.defaults), append_unknown)
        if made_of not in known:
            known[made_of] = compile_builder(rule, append_unknown)
        return known[made_of]

    Rule._compile_builder = shared  # type: ignore[method-assign, assignment]
