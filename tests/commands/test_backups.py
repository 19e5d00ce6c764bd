"""`microblog backup` and `restore`: what was acknowledged comes back, and open pages notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from microblog.commands import scratch
from microblog.kernel import events, schema
from microblog.kernel.db import Database
from microblog.mail.outbox import Email
from microblog.posts.model import Post
from tests.commands.conftest import Microblog, contents, lively, next_ids
from tests.databases import KINDS, Databases
from tests.person import Person, Reader, position_in
from tests.posts.stage import Stage
from tests.process import ROOT, SiteProcess

KEY = "a-secret-key-0123456789-abcdefghijklmnop"


@pytest.fixture
async def url(database_url: str, tmp_path: Path) -> str:
    """Of a lively site, its media and key in `data`."""
    await lively(database_url)
    picture = tmp_path / "data" / "media" / "ab" / "ü.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(bytes(range(256)))
    (tmp_path / "data" / "secret_key").write_text(KEY)
    (tmp_path / "data" / "secret_key").chmod(0o600)
    return database_url


@pytest.fixture
async def empty_url(databases: Databases, database_kind: str, tmp_path: Path) -> AsyncIterator[str]:
    """Of another database, of the same kind."""
    (tmp_path / "empty").mkdir()
    async with databases.new(database_kind, tmp_path / "empty") as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "backup.zip"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def epoch(url: str) -> str:
    db = Database(url)
    async with db.reading() as session:
        found = await events.epoch(session)
    await db.close()
    return found


async def test_a_backup_of_either_database_is_restored_into_either(
    microblog: Microblog, databases: Databases, url: str, file: Path, tmp_path: Path
) -> None:
    made = await microblog("backup", file, database_url=url)
    assert made.status == 0, made.err
    assert "verified" in made.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(file.parent) == [file.name]
    before = await contents(url)
    for kind in KINDS:
        there = tmp_path / kind
        there.mkdir()
        async with databases.new(kind, there) as target:
            back = await microblog("restore", file, database_url=target, data_dir=there)
            assert back.status == 0, back.err
            after = await contents(target)
            changed = {name for name in before if before[name] != after[name]}
            assert changed == {"log_epoch", "emails"}
            assert await epoch(target) != await epoch(url)
            assert (await next_ids(target))[0] > before["events"].rows + 1
        assert (there / "media" / "ab" / "ü.png").read_bytes() == bytes(range(256))
        assert (there / "secret_key").read_text() == KEY
        assert (there / "secret_key").stat().st_mode & 0o777 == 0o600
        assert not list(there.glob(".microblog-*"))


async def test_waiting_mail_goes_out_unless_it_waited_for_long(
    microblog: Microblog, url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    await microblog("backup", file, database_url=url)
    there = {"database_url": empty_url, "data_dir": tmp_path / "there"}
    said = await microblog("restore", file, **there)
    assert "1 mails that were waiting are cancelled" in said.out
    mine, theirs = Database(url), Database(empty_url)
    wanted = select(Email.state, Email.message_id, Email.payload).order_by(Email.id)
    async with mine.reading() as here, theirs.reading() as restored:
        before, after = (await here.execute(wanted)).all(), (await restored.execute(wanted)).all()
    assert after[0] == before[0]
    assert after[1].state == "cancelled"
    assert after[1].payload == {}
    await mine.close()
    await theirs.close()
    assert "2 mails" in (await microblog("restore", file, "--force", "--cancel-mail", **there)).out


async def test_a_site_is_replaced_only_by_force(
    microblog: Microblog, url: str, file: Path, tmp_path: Path
) -> None:
    await microblog("backup", file, database_url=url)
    db = Database(url)
    zoe = await Stage(db).person("zoe")
    await Stage(db).says(zoe)
    await db.close()
    (tmp_path / "data" / "media" / "new.png").write_text("new")
    later = await contents(url)
    refused = await microblog("restore", file, database_url=url)
    assert refused.status == 1
    assert "--force" in refused.err
    assert await contents(url) == later
    assert (await microblog("restore", file, "--force", database_url=url)).status == 0
    assert (await contents(url))["accounts"].rows == later["accounts"].rows - 1
    assert not (tmp_path / "data" / "media" / "new.png").exists()


async def test_a_file_that_exists_is_replaced_only_by_force(
    microblog: Microblog, url: str, file: Path
) -> None:
    file.write_text("dear to me")
    refused = await microblog("backup", file, database_url=url)
    assert refused.status == 1
    assert file.read_text() == "dear to me"
    assert (await microblog("backup", file, "--force", database_url=url)).status == 0
    assert zipfile.is_zipfile(file)


async def test_a_key_of_the_environment_stays_out_and_is_spoken_of(
    microblog: Microblog, url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "data" / "secret_key").unlink()
    said = await microblog("backup", file, database_url=url, secret_key=KEY)
    assert "MICROBLOG_SECRET_KEY" in said.out
    there = tmp_path / "there"
    said = await microblog("restore", file, database_url=empty_url, data_dir=there)
    assert "signed out" in said.out
    assert not (there / "secret_key").exists()


def damaged(file: Path, member: str, content: bytes) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[member] = content
    with zipfile.ZipFile(file, "w") as archive:
        for name, each in members.items():
            archive.writestr(name, each)


async def test_a_damaged_backup_changes_nothing(
    microblog: Microblog, url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    await microblog("backup", file, database_url=url)
    whole = file.read_bytes()
    there = {"database_url": empty_url, "data_dir": tmp_path / "there"}

    async def refused() -> str:
        said = await microblog("restore", file, **there)
        assert said.status == 1
        assert len(said.err.strip().splitlines()) == 1
        assert (await contents(empty_url))["accounts"].rows == 0
        assert not (tmp_path / "there").exists()
        return said.err

    for broken in (b"", whole[: len(whole) // 2], whole[:-5], b"no archive"):
        file.write_bytes(broken)
        assert "no backup, or a damaged one" in await refused()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 255
    file.write_bytes(flipped)
    assert "damaged" in await refused()
    file.write_bytes(whole)
    damaged(file, "media/ab/ü.png", b"another picture")
    assert "is not what was written" in await refused()


async def test_an_archive_writes_nothing_outside_of_the_data_directory(
    microblog: Microblog, url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    await microblog("backup", file, database_url=url)
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["files"]["media/../../evil"] = manifest["files"]["secret_key"]
    damaged(file, "media/../../evil", KEY.encode())
    damaged(file, "manifest.json", json.dumps(manifest).encode())
    said = await microblog(
        "restore", file, database_url=empty_url, data_dir=tmp_path / "there" / "data"
    )
    assert "damaged" in said.err
    assert not list(tmp_path.rglob("evil"))


async def test_a_backup_of_a_newer_version_is_refused(
    microblog: Microblog, url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    await _with_revision(url, "9999")
    if url.startswith("sqlite"):
        assert (await microblog("backup", file, database_url=url)).status == 0
        there = tmp_path / "there"
        said = await microblog("restore", file, database_url=empty_url, data_dir=there)
        assert "newer version" in said.err
        assert (await contents(empty_url))["accounts"].rows == 0
    else:
        assert (await microblog("backup", file, database_url=url)).status == 1
        assert names(file.parent) == []


async def test_a_restore_leaves_a_running_site_its_schema(
    microblog: Microblog, url: str, file: Path
) -> None:
    """Of an older version, which goes on: the newer one has only been installed beside it."""
    await microblog("backup", file, database_url=url)
    await _with_revision(url, "0001")
    running = Database(url)
    async with running.reading() as session:
        await session.execute(select(1))
    said = await microblog("restore", file, "--force", database_url=url)
    assert "running" in said.err
    async with running.reading() as session:
        assert await schema.revision(session) == "0001"
    await running.close()


async def test_a_site_goes_back_to_an_older_version_in_a_new_database(
    microblog: Microblog, url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    await microblog("backup", file, database_url=url)
    before = await contents(url)
    await _with_revision(url, "9999")
    said = await microblog("restore", file, "--force", database_url=url)
    assert "into a new one" in said.err
    there = {"database_url": empty_url, "data_dir": tmp_path / "there"}
    assert (await microblog("restore", file, **there)).status == 0
    assert (await contents(empty_url))["accounts"] == before["accounts"]


async def _with_revision(url: str, revision: str) -> None:
    db = Database(url)
    async with db.writing() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    await db.close()


async def test_a_database_with_damaged_pages_makes_no_backup(
    microblog: Microblog, url: str, file: Path, tmp_path: Path
) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("PostgreSQL looks after its own pages")
    with contextlib.closing(sqlite3.connect(tmp_path / "microblog.db")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_posts_root_id_id'")
        connection.commit()
    said = await microblog("backup", file, database_url=url)
    assert said.status == 1
    assert "damaged" in said.err
    assert names(file.parent) == []


async def test_what_a_killed_backup_left_goes_with_the_next(
    microblog: Microblog, url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "_YOUNG", 0.0)
    left = file.parent / ".microblog-left"
    left.mkdir()
    (left / "microblog.db").write_text("half")
    with scratch.scratch(file.parent) as at_work:
        assert (await microblog("backup", file, database_url=url)).status == 0
        assert at_work.is_dir()
    assert names(file.parent) == [file.name]


async def test_a_full_disk_leaves_nothing_behind(url: str, file: Path, tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does."""
    limited = f"ulimit -f 20; exec {sys.executable} -m microblog backup {file}"
    run = await asyncio.to_thread(
        subprocess.run, ["bash", "-c", limited], cwd=ROOT, capture_output=True, text=True,
        env=_environment(data_dir=tmp_path / "data", database_url=url),
    )  # fmt: skip
    assert run.returncode == 1, run
    assert "Traceback" not in run.stderr
    assert names(file.parent) == []


def _environment(**settings: str | Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MICROBLOG_")}
    return clean | {f"MICROBLOG_{name.upper()}": str(each) for name, each in settings.items()}


# -- R22 ---------------------------------------------------------------------------------------


class Load:
    """People who post as fast as they are answered."""

    def __init__(self, people: list[Person]) -> None:
        self._people = people
        self.acknowledged: list[tuple[float, int]] = []
        self._stopping = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        writing = [asyncio.ensure_future(self._write(person)) for person in self._people]
        try:
            yield self
        finally:
            self._stopping = True
            await asyncio.gather(*writing)

    def before(self, moment: float) -> set[int]:
        return {post for at, post in self.acknowledged if at < moment}

    def rate(self, since: float, until: float) -> float:
        return sum(since <= at < until for at, _ in self.acknowledged) / (until - since)

    async def _write(self, person: Person) -> None:
        while not self._stopping:
            post = await person.post(f"post {len(self.acknowledged)} of {person.name}")
            self.acknowledged.append((time.monotonic(), post))


async def test_every_post_acknowledged_before_the_backup_is_there_after_the_restore(
    microblog: Microblog, database_url: str, empty_url: str, file: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    site = SiteProcess(here, confirm_email="off", database_url=database_url)
    async with site, contextlib.AsyncExitStack() as stack:
        people = [await stack.enter_async_context(Person(site.url, f"w{n}")) for n in range(3)]
        for person in people:
            await person.register()
        position = position_in(await people[0].page("/explore"))
        reader = Reader(people[0], stream="public", position=position)
        async with reader.listening():
            async with Load(people).running() as load:
                began = time.monotonic()
                await asyncio.sleep(1)
                async with asyncio.timeout(20):
                    while len(load.acknowledged) < len(people):  # on a busy machine
                        await asyncio.sleep(0.05)
                started = time.monotonic()
                await _backup(file, data_dir=here, database_url=database_url)
                ended = time.monotonic()
            everything = {post for _, post in load.acknowledged}
            await reader.until(lambda r: set(r.inserted()) >= everything, within=20)
        promised = load.before(started)
        running = await microblog("restore", file, "--force", database_url=database_url,
                                  data_dir=here)  # fmt: skip
        assert "The site is running" in running.err
        assert (await microblog("restore", file, database_url=empty_url,
                                data_dir=there)).status == 0  # fmt: skip
        await site.stop()

        before, during = load.rate(began, started), load.rate(started, ended)
        print(
            f"backup under load: {before:.0f} posts/s before, {during:.0f} during, goal 0.9 of it"
        )
        again = SiteProcess(there, port=site.port, confirm_email="off", database_url=empty_url)
        async with again, reader.listening():
            await reader.until(lambda r: r.resets == 1, within=20)
            new = await people[1].post("life goes on")
            await reader.until(lambda r: new in r.inserted(), within=20)
    assert promised
    assert promised <= await _posts(empty_url)


async def _backup(file: Path, **settings: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "microblog", "backup", file, cwd=ROOT, env=_environment(**settings)
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def _posts(url: str) -> set[int]:
    db = Database(url)
    async with db.reading() as session:
        found = set(await session.scalars(select(Post.id)))
    await db.close()
    return found
