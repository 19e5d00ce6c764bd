"""`microblog doctor`: it finds what is wrong, says what to do, and keeps secrets to itself."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from microblog.commands.checkups import bus, proxy
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.mail import outbox
from microblog.mail.outbox import Email
from microblog.settings import Settings
from tests.broker import Broker
from tests.commands.conftest import Microblog, lively
from tests.faults.smtp import Sink
from tests.process import SiteProcess, free_port


def broken(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("✗")]


async def test_a_site_that_is_well_has_nothing_broken(
    microblog: Microblog, database_url: str, tmp_path: Path
) -> None:
    with Sink() as sink:
        settings = {"database_url": database_url, "smtp_url": sink.url}
        async with SiteProcess(tmp_path / "data", **settings) as site:
            settings |= {"base_url": site.url, "bind": site.url.removeprefix("http://")}
            said = await microblog("doctor", **settings, mail_from="hello@example.org")
            # The server of the tests need not survive a power cut, and doctor says so.
            careless = 3 if database_url.startswith("postgresql") else 0
            assert len(broken(said.out)) == careless, said.out
            assert said.out.count("a power cut loses") == careless
            assert said.status == bool(careless)
            for expected in (
                "leads to this site, and it is well", "sockets come through", "no mail was sent",
                "as this version needs it", "event log: position",
            ):  # fmt: skip
                assert expected in said.out
            assert ("LISTEN" in said.out) is database_url.startswith("postgresql")
            assert not sink.taken
            given = "doctor", "--mail-to", "ada@example.org"
            await microblog(*given, **settings, mail_from="hello@example.org")
            (letter,) = sink.taken["ada@example.org"]
            assert "Mail works" in str(letter.get_payload())


async def test_another_site_at_the_address_is_noticed(microblog: Microblog, tmp_path: Path) -> None:
    one, other = SiteProcess(tmp_path / "data"), SiteProcess(tmp_path / "other")
    async with one, other:
        said = await microblog("doctor", base_url=other.url, bind=one.url.removeprefix("http://"))
    assert said.status == 1
    assert "leads to another site" in broken(said.out)[0]


async def test_what_does_not_answer_is_broken_and_passwords_stay_secret(
    microblog: Microblog, tmp_path: Path
) -> None:
    port = free_port()
    said = await microblog(
        "doctor", database_url=f"postgresql://u:geheim@127.0.0.1:{port}/x",
        smtp_url=f"smtp://u:geheim@127.0.0.1:{port}", base_url="https://nowhere.invalid",
    )  # fmt: skip
    assert said.status == 1
    assert {line.split()[1] for line in broken(said.out)} == {"database:", "mail:"}
    assert "Start the site" in said.out
    assert "geheim" not in said.out + said.err


async def test_a_broker_that_is_away_costs_time_and_is_told(
    microblog: Microblog, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = f"127.0.0.1:{free_port()}"
    settings = {"database_url": f"postgresql://u@{away}/x"}
    async with Broker() as broker:
        said = await microblog("doctor", bus_url=broker.url, **settings)
        assert f"✓ broker: {broker.url.removeprefix('nats://')} answers" in said.out
    monkeypatch.setattr(bus, "PATIENCE", 0.3)
    said = await microblog("doctor", bus_url=f"nats://u:geheim@{away}", **settings)
    assert f"! broker: {away}: " in said.out
    assert "geheim" not in said.out + said.err


async def test_a_setting_that_stops_the_start_is_the_first_thing_said(
    microblog: Microblog,
) -> None:
    said = await microblog("doctor", "--json", post_limit=9000)
    assert said.status == 1
    (finding,) = json.loads(said.out)["findings"]
    assert finding["level"] == "broken"
    assert "MICROBLOG_POST_LIMIT" in finding["says"]


async def test_rights_that_let_others_read_are_told(microblog: Microblog, tmp_path: Path) -> None:
    await microblog("migrate")
    data = tmp_path / "data"
    (data / "secret_key").write_text("a-secret-key-0123456789-abcdefghijklmnop")
    data.chmod(0o755)
    (data / "secret_key").chmod(0o644)
    said = await microblog("doctor")
    assert f"chmod 700 {data}" in said.out
    assert any("chmod 600" in line for line in broken(said.out))


async def test_without_a_site_nothing_is_made(microblog: Microblog, tmp_path: Path) -> None:
    said = await microblog("doctor")
    assert said.status == 0
    assert "there is none yet" in said.out
    assert "http://127.0.0.1:8000 does not answer\n" in said.out
    assert not (tmp_path / "data").exists()


async def test_an_older_schema_and_damaged_pages_are_broken(
    microblog: Microblog, tmp_path: Path
) -> None:
    await microblog("migrate")
    file = tmp_path / "data" / "microblog.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_posts_root_id_id'")
        connection.commit()
    said = await microblog("doctor")
    found = " ".join(broken(said.out))
    assert said.status == 1
    assert "is damaged" in found
    assert "microblog restore" in said.out


async def test_what_is_no_database_and_what_a_newer_version_has_used_have_their_own_advice(
    microblog: Microblog, tmp_path: Path
) -> None:
    await microblog("migrate")
    file = tmp_path / "data" / "microblog.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = await microblog("doctor")
    assert "Start that version" in " ".join(broken(said.out))
    assert "microblog backup" not in said.out  # which this version could not
    file.write_text("no database at all")
    said = await microblog("doctor")
    assert "file is not a database" in " ".join(broken(said.out))
    assert "restore the newest backup" in said.out
    assert "MICROBLOG_DATABASE_URL" not in said.out


async def test_a_directory_of_somebody_else_does_not_end_it(
    microblog: Microblog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await microblog("migrate")
    seen, inside = Path.exists, tmp_path / "data"

    def exists(path: Path) -> bool:
        if path.parent == inside:
            raise PermissionError(13, "Permission denied", str(path))
        return seen(path)

    monkeypatch.setattr(Path, "exists", exists)
    monkeypatch.setattr("microblog.commands.checkups.machine.os.access", lambda *_: False)
    said = await microblog("doctor")
    assert {line.split(":")[0] for line in broken(said.out)} == {"✗ data directory", "✗ database"}
    assert "does not answer" in said.out  # the last that is looked at


async def test_mail_that_waits_too_long_and_events_given_up_are_told(
    microblog: Microblog, database_url: str
) -> None:
    await lively(database_url)
    db = Database(database_url)
    async with db.writing() as session:
        await outbox.enqueue(session, "reply", {})
        await session.execute(update(Email).values(due_at=now() - timedelta(hours=2)))
        dead = update(Email).where(Email.id == 1)
        await session.execute(dead.values(state="dead", reason="550 no such user"))
    await db.close()
    said = await microblog("doctor", database_url=database_url)
    assert "120 minutes longer" in said.out
    assert "550 no such user" in said.out


@pytest.mark.parametrize(
    ("changed", "level", "said"),
    [
        ({}, "ok", "passes on the name"),
        ({"forwarded": ["10.9.9.9, 192.0.2.77, 203.0.113.5"]}, "ok", "passes on the name"),
        ({"host": "127.0.0.1:8000"}, "broken", "every page is answered 400"),
        ({"forwarded": ["192.0.2.77"]}, "broken", "can choose the address"),
        ({"forwarded": ["203.0.113.5", "192.0.2.77"]}, "broken", "can choose the address"),
        ({"forwarded": []}, "look", "does not say where visitors come from"),
        ({"is_proxy": False, "peer": "10.0.0.3"}, "look", "10.0.0.3 is not trusted"),
    ],
)
def test_what_a_proxy_does_to_headers_is_told(
    changed: dict[str, object], level: str, said: str
) -> None:
    settings = Settings(
        base_url="https://social.example", bind="127.0.0.1:8000", trusted_proxies="127.0.0.1"
    )
    came = {"host": "social.example", "peer": "127.0.0.1", "forwarded": ["203.0.113.5"],
            "is_proxy": True}  # fmt: skip
    (finding,) = proxy.examine(settings, came | changed)
    assert finding.level == level
    assert said in finding.says


@pytest.mark.parametrize("proxies", ["0.0.0.0/0", "::/0"])
async def test_trusting_everybody_as_a_proxy_is_broken(
    microblog: Microblog, proxies: str, tmp_path: Path
) -> None:
    said = await microblog("doctor", trusted_proxies=proxies)
    assert "can choose the address" in " ".join(broken(said.out))
