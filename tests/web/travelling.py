"""A browser that goes to a provider and comes back, on foot."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import httpx2
from quart import Response

from tests.web.visitor import Visitor


async def sent_to(answer: Response) -> str:
    """The provider's address that a page or a redirect leads to."""
    if answer.status_code == 303:
        return str(answer.headers["Location"])
    page = str(await answer.get_data(as_text=True))
    return page.split('content="0; url=', 1)[1].split('"', 1)[0].replace("&amp;", "&")


async def confirmed(url: str, **form: str) -> str:
    """The path and query with which the provider sends the browser back."""
    async with httpx2.AsyncClient() as there:
        answer = await there.post(url, data=form)
    assert answer.status_code == 302, (answer.status_code, answer.text)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def returns_from(visitor: Visitor, provider: str, **form: str) -> Response:
    """The answer to coming back, signed in over there as `form` says."""
    url = await sent_to(await visitor.client.get(f"/login/{provider}"))
    return await visitor.client.get(await confirmed(url, **form))


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
