"""Everybody asks every route for what is somebody's (SECURITY 36); `cells` says who gets there.

Routes are taken from the map of the application: one that names an object and has no row fails.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from quart import Quart, Response
from sqlalchemy import delete, func, select, update

from microblog.accounts.model import Account, Ban
from microblog.admissions.model import Application, Invitation
from microblog.app import create_app
from microblog.archives.model import READY, Archive, ArchivePart
from microblog.crossposts.model import Crosspost
from microblog.follows.model import Follow, FollowRequest
from microblog.identities.model import Identity
from microblog.imports.model import Import
from microblog.kernel.clock import now
from microblog.kernel.events import LoggedEvent
from microblog.kernel.ids import next_id
from microblog.kernel.model import Base
from microblog.media import store
from microblog.moderation.model import Appeal, Entry, Report
from microblog.settings import Settings
from microblog.signin.model import LoginSession, Passkey
from tests.conftest import KEY
from tests.databases import Databases
from tests.web.cells import ACTORS, FOLLOWERS, ONLY_DEV, OUTSIDE, ROWS, Row
from tests.web.visitor import text
from tests.world import Person, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sesame"
ABSENT = 10**17


class Town:
    """Those who ask, and what there is."""

    def __init__(self, world: World, people: dict[str, Person]) -> None:
        self.world = world
        self.people = people
        self.objects: dict[str, object] = {}

    async def asks(self, actor: str, row: Row, objects: dict[str, object]) -> Response:
        path = row.path.format(**objects)
        client = self.world.visitor()
        if actor != "anonymous":
            client = self.people[actor].client
        if row.method == "GET":
            answer: Response = await client.get(path)
            return answer
        fields = {name: value.format(**objects) for name, value in row.fields.items()}
        if actor != "anonymous":
            fields["csrf_token"] = self.people[actor].csrf
        sent: Response = await client.post(path, form=fields)
        return sent

    async def state(self) -> dict[str, int]:
        """What an act would change: how many rows there are of everything, and the log."""
        counts = [
            select(func.count()).select_from(table).scalar_subquery().label(table.name)
            for table in Base.metadata.sorted_tables
        ]
        latest = select(func.max(LoggedEvent.id)).scalar_subquery().label("latest")
        async with self.world.db.reading() as session:
            row = (await session.execute(select(latest, *counts))).one()
        return dict(row._mapping)

    async def make(self) -> dict[str, object]:
        """One of everything, as a row may have left nothing of the last."""
        owner, opened = self.people["owner"], self.people["open"]
        open_post = await opened.posts("for everybody")
        await opened.edits(open_post, "for everybody, edited")
        post = await owner.posts(f"{SECRET} #hidden, not for @stranger1")
        await owner.edits(post, f"{SECRET} #hidden, edited, not for @stranger1")
        deleted, open_deleted = await owner.posts(SECRET), await opened.posts("gone")
        await owner.deletes(deleted)
        await opened.deletes(open_deleted)
        reply = await owner.posts(f"{SECRET} answers", in_reply_to=open_post)
        async with self.world.db.writing() as session:
            found = await _rows(session, owner.id, opened.id, post)
            await session.merge(
                Follow(follower_id=self.people["follower"].id, followed_id=owner.id)
            )
            wish = {"follower_id": self.people["requester"].id, "followed_id": owner.id}
            await session.execute(delete(Follow).filter_by(**wish))
            await session.merge(FollowRequest(**wish))
        other = await self.world.on_another_device(owner)
        async with self.world.db.reading() as session:
            mine = select(func.max(LoginSession.id)).where(LoginSession.account_id == owner.id)
            found["session"] = await session.scalar(mine)
        assert other.id == owner.id
        made = {"post": post, "deleted": deleted, "reply": reply, "open_post": open_post,
                "open_deleted": open_deleted, "owner": owner.id, "left": opened.id}  # fmt: skip
        return self.objects | found | made


async def _rows(session: Any, owner: int, other: int, post: int) -> dict[str, object]:
    soon = now() + timedelta(hours=1)
    for table in (ArchivePart, Archive, Import):
        await session.execute(delete(table))
    numbered = {
        "archive": Archive(account_id=owner, state=READY, size=3, expires_at=soon),
        "import": Import(account_id=owner, kind="archive", state="offered"),
        "invitation": Invitation(account_id=owner, most=1, expires_at=soon),
        "application": Application(
            name=f"a{secrets.token_hex(4)}", email=f"{secrets.token_hex(4)}@example.org",
            reason="Please."),
        "crosspost": Crosspost(
            post_id=post, account_id=owner, kind="x", external_id="1", shown="x", state="failed",
            body="", give_up_at=soon),
    }  # fmt: skip
    for row in numbered.values():
        row.id = await next_id(session, type(row).id)
    plain = {
        "identity": Identity(account_id=owner, issuer="https://idp.example",
                             subject=secrets.token_hex(8), display_name="Owner"),
        "passkey": Passkey(account_id=owner, credential_id=secrets.token_bytes(16),
                           public_key=b"k", name="Key"),
        "report": Report(reporter_id=other, account_id=owner, post_id=post, category="spam",
                         words="", quoted=f"{SECRET} reported"),
        "entry": Entry(actor_id=None, act="silence", account_id=other, before={}, after={},
                       is_public=False),
        "ban": Ban(kind="name", value=secrets.token_hex(8)),
    }  # fmt: skip
    made = numbered | plain
    session.add_all(made.values())
    await session.flush()
    session.add(ArchivePart(archive_id=made["archive"].id, number=0, content=b"zip"))
    session.add(Appeal(entry_id=made["entry"].id, words="No."))
    return {name: row.id for name, row in made.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("cells")
    async with databases.new("sqlite", folder) as url:
        app = create_app(Settings(
            data_dir=folder, database_url=url, base_url="http://localhost", secret_key=KEY,
            mode="dev", mail_hold=0.0, limits="off", workers_here="off",
        ))  # fmt: skip
        async with app.test_app():
            yield await _settled(World(app))


async def _settled(world: World) -> Town:
    names = [actor for actor in ACTORS if actor != "anonymous"] + ["open", "left"]
    people = {name: await world.person(f"{name}1") for name in names}  # some words are kept
    owner = people["owner"]
    for name in ("follower", "suspended"):
        await people[name].follows(owner)
    found = Town(world, people)
    found.objects = {f"{name}avatar": _picture(world) for name in ("", "left_")}
    left_post = await people["left"].posts("of somebody who left")
    question = await owner.posts(f"{SECRET} in the beginning")
    found.objects |= {
        "left_post": left_post,
        "open_reply": await people["open"].posts("an answer", in_reply_to=question),
    }
    await owner.goes_private()
    async with world.db.writing() as session:
        changes: dict[str, dict[str, Any]] = {
            "moderator": {"role": "moderator"},
            "suspended": {"suspended_at": now()},
            "owner": {"avatar": _base(found.objects["avatar"])},
            "left": {"suspended_at": now(), "avatar": _base(found.objects["left_avatar"])},
        }
        for name, values in changes.items():
            mine = Account.id == people[name].id
            await session.execute(update(Account).where(mine).values(**values))
    return found


def _picture(world: World) -> str:
    where = store.folder(world.site.settings.data_dir)
    return store.keep(where, {"-96.jpg": b"jpeg"}) + "-96.jpg"


def _base(name: object) -> str:
    return str(name).partition("-")[0]


# -- the cells -------------------------------------------------------------------------------


def named(app: Quart) -> set[tuple[str, str]]:
    """Method and rule of each route that has something in its address."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.arguments and rule.rule not in ONLY_DEV
    }


async def test_every_route_that_names_an_object_has_a_row(town: Town) -> None:
    """A new route: say in `tests/web/cells.py` who is to get there."""
    rows = {(row.method, row.rule) for row in ROWS}
    assert named(town.world.app) - rows == set()


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_a_row(town: Town, row: Row) -> None:
    may = row.may.split()
    objects = await town.make() if row.names_something else town.objects
    before = await town.state()
    for actor in sorted(ACTORS, key=lambda one: (one in may, ACTORS.index(one))):
        answer = await town.asks(actor, row, objects)
        assert answer.status_code in expected(town, actor, row), (actor, answer.status_code)
        if actor not in may:
            assert await town.state() == before, actor
            if actor not in row.answers:
                await looks_absent(town, actor, row, objects, answer)
        found = SECRET in await text(answer)
        if row.sees is not None:
            assert found is (actor in row.sees.split()), actor
        assert not found or actor in (row.sees or FOLLOWERS).split(), actor


def expected(town: Town, actor: str, row: Row) -> tuple[int, ...]:
    if actor in row.answers or actor in row.may.split():
        return (row.answers.get(actor, row.answer),)
    if actor not in OUTSIDE:
        return (row.refused,)
    inside = (302, 303) if row.method == "GET" else (401,)
    without_token = row.method == "POST" and actor == "anonymous" and row.rule != "/u/<token>"
    return (403,) if without_token else ((404,) if is_public(town, row) else inside)


def is_public(town: Town, row: Row) -> bool:
    views = town.world.app.view_functions
    rules = town.world.app.url_map.iter_rules()
    endpoint = next(r.endpoint for r in rules if r.rule == row.rule and row.method in r.methods)
    return bool(views[endpoint].access == "public")


async def looks_absent(
    town: Town, actor: str, row: Row, objects: dict[str, object], answer: Response
) -> None:
    """Forbidden is answered as what does not exist: in the same words."""
    if answer.status_code not in (404, 422):
        return
    nothing = {name: ABSENT + n if isinstance(one, int) else one
               for n, (name, one) in enumerate(objects.items())}  # fmt: skip
    absent = await town.asks(actor, row, nothing)
    assert absent.status_code == answer.status_code
    assert words(await text(absent)) == words(await text(answer))


def words(page: str) -> str:
    """Without what differs from one request to the next: references, tokens, flashes."""
    # Tokens before numbers: one may begin with seventeen digits.
    return re.sub(
        r'Reference: \w+|[0-9a-f]{40}|\d{17,}|value="[\w-]{24}"|<p class="flash .*?</p>', "", page
    )


async def test_no_other_page_tells(town: Town) -> None:
    """Every page that names nothing, by everybody: home, lists, notifications, settings …"""
    await town.make()
    await town.world.settle()
    routes = {
        rule.rule
        for rule in town.world.app.url_map.iter_rules()
        if not rule.arguments and "GET" in (rule.methods or set())
    }
    assert {"/", "/explore", "/notifications", "/follow-requests"} <= routes
    for path in sorted(routes - {"/dev/mail"}):
        for actor in ("stranger", "requester", "moderator", "anonymous"):
            client = town.world.visitor() if actor == "anonymous" else town.people[actor].client
            assert SECRET not in await text(await client.get(path)), (path, actor)
    for actor in FOLLOWERS.split():
        assert SECRET in await town.people[actor].page("/")


async def test_no_mail_tells(town: Town) -> None:
    await town.make()
    await town.world.settle()
    told = {letter.to for letter in await town.world.letters() if SECRET in letter.text}
    assert told <= {"owner1@example.org"}  # what was answered
