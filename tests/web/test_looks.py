"""No page goes out that nobody has looked at."""

from __future__ import annotations

from quart import Quart

from tests.browser import looks


def test_every_address_is_looked_at_or_says_why_not(app: Quart) -> None:
    seen = {*looks.VISITOR, *looks.MEMBER, *looks.STAFF}
    listed = [*seen, *looks.ON_THE_WAY, *looks.NO_PAGE]
    known = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    assert sorted(known - set(listed)) == [], "tests/browser/looks.py does not know these pages"
    assert sorted(set(listed) - known) == []
    assert len(listed) == len(set(listed))
