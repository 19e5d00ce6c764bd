"""Somebody at a browser without script, who follows links and sends the forms that pages show."""

from __future__ import annotations

import re
from typing import Any

from quart import Response
from sqlalchemy import select

from microblog.kernel import tokens
from microblog.mail.outbox import Email
from microblog.signin.model import LoginSession
from microblog.signin.queries import Viewer, viewer
from tests.world import World

PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
JSON = {"Accept": "application/json"}
# What Chromium sends with a form on a page whose Referrer-Policy is no-referrer.
FROM_A_SECRET_PAGE = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}


class Visitor:
    def __init__(self, world: World) -> None:
        self.world = world
        self.client: Any = world.visitor()

    async def page(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return str(await answer.get_data(as_text=True))

    async def submit(
        self, path: str, headers: dict[str, str] | None = None, page: str = "", **fields: str
    ) -> Response:
        """Send the form that `page` (or the path itself) shows."""
        return await self.sends(await self.page(page or path), path, headers, **fields)

    async def sends(
        self, page: str, path: str, headers: dict[str, str] | None = None, **fields: str
    ) -> Response:
        """Send a form of the page that is on the screen."""
        shown = _TOKEN.search(page)
        assert shown, f"the page before {path} shows no form"
        form = {"csrf_token": shown[1], **fields}
        answer: Response = await self.client.post(path, form=form, headers=headers or {})
        return answer

    def session_cookie(self) -> str:
        return next(c.value or "" for c in self.client.cookie_jar if c.name == "session")

    async def registers(self, name: str = "ada", **fields: str) -> Response:
        given = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        return await self.submit("/register", **given | fields)

    async def signs_in(self, login: str = "ada", password: str = PASSWORD, **more: str) -> Response:
        return await self.submit("/login", login=login, password=password, **more)

    async def who(self) -> Viewer | None:
        """Whose session this browser's cookie opens."""
        auth = self.world.app.extensions["QUART_AUTH"][0]
        for cookie in self.client.cookie_jar:
            if cookie.name == auth.cookie_name and cookie.value:
                token = auth.load_token(cookie.value, self.world.app)
                async with self.world.db.reading() as session:
                    return await viewer(session, tokens.digest(token or ""))
        return None


async def text(answer: Response) -> str:
    return str(await answer.get_data(as_text=True))


async def newest_link(world: World, marker: str) -> str:
    """Path of the link in the newest mail that has one with `marker`."""
    await world.settle()
    for letter in reversed(await world.letters()):
        if found := re.search(rf"http://localhost({re.escape(marker)}\S+)", letter.text):
            return found[1]
    raise AssertionError(f"no mail has a link to {marker}")


async def emails(world: World) -> list[Email]:
    async with world.db.reading() as session:
        return list(await session.scalars(select(Email).order_by(Email.id)))


async def open_sessions(world: World, account_id: int) -> int:
    async with world.db.reading() as session:
        mine = select(LoginSession.id).where(LoginSession.account_id == account_id)
        return len((await session.scalars(mine)).all())
