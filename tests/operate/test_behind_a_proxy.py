"""The site behind nginx and behind Caddy, set up as docs/deploy.md says, over TLS."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.operate.proxies import PROXIES, Front, front, proxying
from tests.operate.visitor import Visitor
from tests.person import Reader, position_in, token_in
from tests.process import ROOT, SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "a-token-for-prometheus"


@asynccontextmanager
async def serving(front: Front, trusted: str = "127.0.0.1") -> AsyncIterator[SiteProcess]:
    site = SiteProcess(front.folder / "data", base_url=front.url, trusted_proxies=trusted,
                       confirm_email="off", log_format="json", metrics_token=TOKEN)  # fmt: skip
    async with site, proxying(front, site.port):
        yield site


@pytest.fixture(scope="module", params=PROXIES)
def entrance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Front:
    return front(request.param, tmp_path_factory.mktemp(request.param))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(entrance: Front) -> AsyncIterator[SiteProcess]:
    async with serving(entrance) as process:
        yield process


async def test_a_page_comes_over_http2_and_insists_on_tls(
    entrance: Front, site: SiteProcess
) -> None:
    async with Visitor(entrance, "ada") as ada:
        page = await ada.http.get("/explore")
    assert page.status_code == 200
    assert page.http_version == "HTTP/2"
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "Content-Encoding" not in page.headers


async def test_cookies_stay_with_this_host_and_tls(entrance: Front, site: SiteProcess) -> None:
    async with Visitor(entrance, "bea") as bea:
        await bea.register()
        await bea.submit("/logout")
        answer = await bea.sign_in()
    given = answer.headers.get_list("set-cookie")
    assert any(cookie.startswith("__Host-session=") for cookie in given)
    for cookie in given:
        assert cookie.startswith("__Host-")
        assert "; Secure" in cookie
        assert "; Path=/" in cookie
        assert "Domain" not in cookie


async def test_the_live_socket_works_through_a_restart(entrance: Front, site: SiteProcess) -> None:
    async with Visitor(entrance, "cleo") as cleo:
        await cleo.register()
        reader = Reader(cleo, position=position_in(await cleo.page("/")))
        async with reader.listening():
            first = await cleo.post("through the proxy")
            await reader.until(lambda r: r.inserted() == [first])
            assert await site.stop() == 0
            await reader.until(lambda r: 1012 in r.closes)
            await site.start()
            await site.ready()
            second = await cleo.post("after the restart")
            await reader.until(lambda r: r.inserted() == [first, second])
        assert reader.wire_duplicates == 0


async def test_a_page_of_another_site_opens_no_socket(entrance: Front, site: SiteProcess) -> None:
    async with Visitor(entrance, "dora") as dora:
        with pytest.raises(Exception, match="403"):
            async with dora.socket(stream="public", origin="https://evil.example"):
                pass


async def test_the_sites_own_413_reaches_the_visitor(entrance: Front, site: SiteProcess) -> None:
    # On HTTP/2 httpx waits for room to send the rest in, and does not look at an early answer.
    async with Visitor(entrance, "emma", http2=False) as emma:
        await emma.register()
        answer = await emma.submit("/posts", body="x" * 1_500_000)
    assert answer.status_code == 413
    assert "larger than this site takes" in answer.text


async def test_a_large_copy_comes_through(entrance: Front, site: SiteProcess) -> None:
    """What is no copy is refused by the site, not by the proxy."""
    async with Visitor(entrance, "anna", http2=False) as anna:
        await anna.register()
        token = token_in((await anna.http.get("/settings/import")).text)
        answer = await anna.http.post(
            "/settings/import/archive", data={"csrf_token": token},
            files={"archive": ("copy.zip", b"x" * 12_000_000, "application/zip")},
        )  # fmt: skip
    assert answer.status_code == 422
    assert "no copy from a site like this one" in answer.text


async def test_the_proxys_request_id_is_the_one_in_our_log(
    entrance: Front, site: SiteProcess
) -> None:
    async with Visitor(entrance, "fay") as fay:
        answer = await fay.http.get("/explore", headers={"X-Request-Id": "forged"})
    chosen = answer.headers["X-Request-Id"]
    assert len(chosen) in (32, 36)  # hexadecimal digits, or a UUID
    logged = [json.loads(line) for line in site.said().splitlines() if line.startswith("{")]
    (line,) = [line for line in logged if line.get("request") == chosen]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/explore", 200)


async def test_prometheus_sees_what_reaches_open_pages(entrance: Front, site: SiteProcess) -> None:
    async with Visitor(entrance, "hal") as hal:
        await hal.register()
        assert (await hal.http.get("/metrics")).status_code == 401
        reader = Reader(hal, position=position_in(await hal.page("/")))
        async with reader.listening():
            post = await hal.post("hello")
            await reader.until(lambda r: r.inserted() == [post])
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            shown = (await hal.http.get("/metrics", headers=bearer)).text
    figures = dict(line.rsplit(" ", 1) for line in shown.splitlines() if line[0] != "#")
    assert float(figures['microblog_live_sockets{worker="0"}']) == 1
    assert float(figures['microblog_live_handshakes_total{status="101",worker="0"}']) >= 1
    assert float(figures['microblog_live_delivery_seconds_bucket{le="1.0",worker="0"}']) >= 1
    assert float(figures['microblog_loop_alive{loop="live feed",worker="0"}']) == 1


async def test_the_doctor_sees_through_it_that_all_is_well(
    entrance: Front, site: SiteProcess
) -> None:
    ours = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "MICROBLOG_BASE_URL": entrance.url,
        "MICROBLOG_DATA_DIR": str(site.data_dir), "MICROBLOG_BIND": f"127.0.0.1:{site.port}",
        "MICROBLOG_TRUSTED_PROXIES": "127.0.0.1",
        "SSL_CERT_FILE": str(entrance.folder / "certificate.pem"),
    }  # fmt: skip
    doctor = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "microblog", "doctor", env=ours, stdout=asyncio.subprocess.PIPE
    )
    said = (await doctor.communicate())[0].decode()
    assert doctor.returncode == 0, said
    assert f"{entrance.url} leads to this site, and it is well" in said
    assert "proxy: it passes on the name people use" in said
    assert "sockets come through" in said


@pytest.mark.parametrize(
    ("trusted", "network"), [("127.0.0.1", "127.9.8"), ("10.0.0.0/8", "127.0.0")]
)
async def test_the_visitors_address_is_believed_from_a_trusted_proxy_only(
    entrance: Front, tmp_path: Path, trusted: str, network: str
) -> None:
    fresh = front(entrance.program, tmp_path)
    async with serving(fresh, trusted) as site, Visitor(fresh, "gus") as gus:
        gus.http.headers["X-Forwarded-For"] = "6.6.6.6"  # nobody believes that
        await gus.register()
        with closing(sqlite3.connect(site.data_dir / "microblog.db")) as database:
            known = database.execute("SELECT address FROM login_sessions").fetchall()
    assert known == [(f"{network}.0/24",)]


class Recorder:
    """A site that only writes down what the proxy sends."""

    def __init__(self) -> None:
        self.heads: list[dict[str, list[str]]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields: dict[str, list[str]] = {}
        for line in head.splitlines()[1:-1]:
            name, _, value = line.partition(":")
            fields.setdefault(name.lower(), []).append(value.strip())
        self.heads.append(fields)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()


@pytest.mark.parametrize("program", PROXIES)
async def test_what_a_visitor_claims_does_not_reach_the_site(program: str, tmp_path: Path) -> None:
    fresh, recorder = front(program, tmp_path), Recorder()
    server = await asyncio.start_server(recorder.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    claims = {
        "Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk",
        "X-Forwarded-For": "6.6.6.6", "X-Request-Id": "forged",
    }  # fmt: skip
    http = httpx2.AsyncClient(verify=fresh.trusted())  # HTTP/1.1, as h2c needs
    async with server, proxying(fresh, port), http:
        assert (await http.get(fresh.url, headers=claims)).status_code == 200
    (head,) = recorder.heads
    assert "upgrade" not in head
    assert "upgrade" not in "".join(head.get("connection", [])).lower()
    assert head["x-forwarded-for"] == ["127.0.0.1"]
    assert head["x-request-id"] != ["forged"]
    assert head["host"] == [f"localhost:{fresh.port}"]


async def test_nginx_sends_plain_requests_to_tls(tmp_path: Path) -> None:
    fresh = front("nginx", tmp_path)
    async with proxying(fresh, 9), httpx2.AsyncClient() as http:
        answer = await http.get(f"http://localhost:{fresh.plain_port}/@ada?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{fresh.url}/@ada?x=1")
