"""A site somewhere else that answers as a test wants it to, and a directory of names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from quart import Quart, Response, ResponseReturnValue, request

from microblog.demo.pretenders import listening

Answering = Callable[[], Awaitable[ResponseReturnValue]]


class Elsewhere:
    """`pages` by path; `asked` has host, path and headers of every request, in order."""

    def __init__(self) -> None:
        self.pages: dict[str, Response | Answering] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""
        self.app = Quart("elsewhere", static_folder=None)
        self.app.add_url_rule("/", view_func=self.answer, methods=["GET", "POST"])
        self.app.add_url_rule("/<path:_path>", view_func=self.answer, methods=["GET", "POST"])

    @property
    def place(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    async def answer(self, _path: str = "") -> ResponseReturnValue:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.host, request.path, headers))
        page = self.pages.get(request.path)
        if page is None:
            return "Nothing here", 404
        return page if isinstance(page, Response) else await page()


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    there = Elsewhere()
    async with listening(there) as there.url:
        yield there


class Names:
    """Answers for a resolver; the next of several lists each time it is asked."""

    def __init__(self, **known: list[list[str]]) -> None:
        self.known = {name.replace("_", "."): list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        answers = self.known.get(host, [[]])
        return answers.pop(0) if len(answers) > 1 else answers[0]
