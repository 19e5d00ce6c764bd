"""What the client asks, whom it refuses to ask, and how much of an answer it takes."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from quart import Response

from microblog.outbound import client, resolving
from microblog.outbound.client import Answer, Outbound
from microblog.outbound.failures import Astray, Away, OutboundFailure, TooLarge, Unsafe
from microblog.outbound.guard import Guard
from tests.mail.certificate import make_certificate
from tests.outbound.elsewhere import Elsewhere, Names, elsewhere


@pytest.fixture
async def there() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as site:
        site.pages["/"] = Response("Hello")
        yield site


@pytest.fixture
def outbound(there: Elsewhere) -> Outbound:
    return Outbound(reachable=(there.place,))


async def refused(outbound: Outbound, url: str, kind: type[OutboundFailure] = Unsafe) -> str:
    with pytest.raises(kind) as failure:
        await outbound.get(url)
    return str(failure.value)


async def test_a_page_is_fetched_and_nothing_told(there: Elsewhere, outbound: Outbound) -> None:
    answer = await outbound.get(f"{there.url}/", accept="text/html")
    assert (answer.status, answer.content, answer.media_type) == (200, b"Hello", "text/html")
    ((_host, _path, told),) = there.asked
    assert set(told) == {"host", "user-agent", "accept", "accept-encoding", "connection"} | (
        set(told) & {"remote-addr", "content-length"}
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "0.0.0.0", "127.1", "0x7f000001", "2130706433", "0177.0.0.1",
        "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "169.254.169.254", "10.0.0.1", "127.0.0.1.", "ⓛocalhost",
    ],
)  # fmt: skip
async def test_this_machine_and_its_neighbours_are_not_asked(there: Elsewhere, host: str) -> None:
    for port in (80, there.port):
        with pytest.raises(OutboundFailure):
            await Outbound().get(f"http://{host}:{port}/")
    assert there.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "gopher://example.org", "javascript:alert(1)",
        "//example.org", "/path", "", "http://", "http://me@example.org/",
        "http://me:secret@example.org/", "http://example.org:22/", "http://example.org:8080/",
        "https://example.org:25/", "http://example.org:99999/", "http://exa mple.org/",
        "http://[::1", "http://example.org/" + "x" * 2100, "http://\ud800/", "http://a\x00b/",
    ],
    ids=ascii,
)  # fmt: skip
async def test_odd_addresses_are_not_asked(url: str) -> None:
    names = Names(example_org=[["93.184.216.34"]])
    await refused(Outbound(resolve=names.resolve), url, OutboundFailure)


async def test_the_ports_of_the_web_are_taken() -> None:
    names = Names(example_org=[["93.184.216.34"]])
    guard = Guard(resolve=names.resolve)
    for port in (80, 443):
        assert await guard.addresses("example.org", port) == ["93.184.216.34"]


async def test_a_name_that_leads_both_ways_is_not_asked() -> None:
    for answer in (["93.184.216.34", "10.0.0.1"], ["2606:4700::1", "::1"]):
        names = Names(example_org=[answer])
        said = await refused(Outbound(resolve=names.resolve), "http://example.org/")
        assert said == "not a public address"


async def test_a_name_is_looked_up_once_and_that_address_is_asked(there: Elsewhere) -> None:
    """DNS rebinding: a second look-up would lead to a neighbour."""
    names = Names(page_example=[["127.0.0.1"], ["10.0.0.1"]])
    outbound = Outbound(reachable=(there.place,), resolve=names.resolve)
    answer = await outbound.get(f"http://page.example:{there.port}/")
    assert answer.status == 200
    assert names.asked == ["page.example"]
    assert there.asked[0][0] == f"page.example:{there.port}"


async def test_what_does_not_answer_is_passed_over(there: Elsewhere) -> None:
    names = Names(page_example=[["127.0.0.2", "127.0.0.1"]])
    places = (there.place, f"127.0.0.2:{there.port}")
    outbound = Outbound(reachable=places, resolve=names.resolve)
    assert (await outbound.get(f"http://page.example:{there.port}/")).status == 200


async def test_a_name_that_nobody_has() -> None:
    failure = await failed(Outbound(resolve=Names().resolve), "http://nobody.example/")
    assert not failure.asked


async def test_a_place_where_nobody_listens() -> None:
    failure = await failed(Outbound(reachable=("127.0.0.1:9",)), "http://127.0.0.1:9/")
    assert not failure.asked


async def failed(outbound: Outbound, url: str) -> Away:
    with pytest.raises(Away) as failure:
        await outbound.get(url)
    return failure.value


# -- redirects -------------------------------------------------------------------------------


async def test_three_redirects_are_followed_and_no_more(
    there: Elsewhere, outbound: Outbound
) -> None:
    for n in range(1, 5):
        there.pages[f"/{n}"] = there.pages["/"] if n == 1 else redirected(f"{n - 1}")
    answer = await outbound.get(f"{there.url}/4")
    assert (answer.content, answer.url) == (b"Hello", f"{there.url}/1")
    there.pages["/5"] = redirected("/4")
    await refused(outbound, f"{there.url}/5", Astray)


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:9/", "http://localhost/", "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/", "//10.0.0.1/", "file:///etc/passwd", "http://me@{place}/",
        "http://example.org:22/", "http://[::1", "javascript:alert(1)",
    ],
)  # fmt: skip
async def test_each_redirect_is_checked(there: Elsewhere, outbound: Outbound, where: str) -> None:
    there.pages["/"] = redirected(where.format(place=there.place))
    await refused(outbound, f"{there.url}/")
    assert len(there.asked) == 1


async def test_a_redirect_without_an_address_is_the_answer(
    there: Elsewhere, outbound: Outbound
) -> None:
    there.pages["/"] = Response(status=302)
    assert (await outbound.get(f"{there.url}/")).status == 302


async def test_a_cookie_is_not_kept(there: Elsewhere, outbound: Outbound) -> None:
    there.pages["/"] = first = redirected("/two")
    first.headers["Set-Cookie"] = "a=b"
    there.pages["/two"] = Response("two")
    await outbound.get(f"{there.url}/")
    await outbound.get(f"{there.url}/two")
    assert [path for _, path, _ in there.asked] == ["/", "/two", "/two"]
    assert all("cookie" not in told for _, _, told in there.asked)


async def test_what_is_sent_is_for_one_only(there: Elsewhere, outbound: Outbound) -> None:
    there.pages["/"] = redirected("/two")
    token = {"Authorization": "Bearer secret", "Content-Type": "application/json"}
    answer = await outbound.send("POST", f"{there.url}/", headers=token, content=b"{}")
    assert answer.status == 302
    ((_, path, told),) = there.asked
    assert (path, told["authorization"]) == ("/", "Bearer secret")


def redirected(where: str) -> Response:
    return Response(status=302, headers={"Location": where})


# -- bounds ----------------------------------------------------------------------------------


def packed(content: bytes, how: str = "gzip") -> Response:
    return Response(content, headers={"Content-Encoding": how})


async def test_a_packed_page_is_unpacked(there: Elsewhere, outbound: Outbound) -> None:
    there.pages["/"] = packed(gzip.compress(b"Hello " * 1000))
    assert (await outbound.get(f"{there.url}/")).content == b"Hello " * 1000


async def test_a_megabyte_is_taken_and_no_more(there: Elsewhere, outbound: Outbound) -> None:
    there.pages["/"] = Response(b"x" * client.MOST_BYTES)
    assert len((await outbound.get(f"{there.url}/")).content) == client.MOST_BYTES
    there.pages["/"] = Response(b"x" * (client.MOST_BYTES + 1))
    await refused(outbound, f"{there.url}/", TooLarge)


@pytest.mark.parametrize(
    "answer",
    [
        packed(gzip.compress(b"x" * 100_000_000)),
        packed(gzip.compress(gzip.compress(b"x" * 100_000_000)), "gzip, gzip"),
        packed(zlib.compress(b"x" * 100_000_000), "deflate"),
        packed(b"x", "br"),
    ],
    ids=["bomb", "twice", "deflate", "br"],
)
async def test_a_bomb_does_not_go_off(
    there: Elsewhere, outbound: Outbound, answer: Response
) -> None:
    there.pages["/"] = answer
    before = time.process_time()
    await refused(outbound, f"{there.url}/", TooLarge)
    assert time.process_time() - before < 2


async def test_what_is_packed_badly_is_no_answer(there: Elsewhere, outbound: Outbound) -> None:
    there.pages["/"] = packed(b"not packed at all")
    await refused(outbound, f"{there.url}/", Away)


async def test_a_page_that_never_ends_is_left(there: Elsewhere) -> None:
    async def slow() -> Response:
        async def drops() -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0.05)

        return Response(drops())  # type: ignore[arg-type]

    there.pages["/"] = slow
    before = time.monotonic()
    said = await refused(Outbound(reachable=(there.place,), patience=0.3), f"{there.url}/", Away)
    assert said == "time-out"
    assert time.monotonic() - before < 10


async def test_names_that_are_not_answered_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_host: str, _port: int) -> list[str]:
        time.sleep(0.3)
        return ["10.0.0.1"]

    monkeypatch.setattr(resolving, "_addresses", slow)
    outbound = Outbound(patience=0.1)
    said = await asyncio.gather(
        *(refused(outbound, "http://slow.example/", Away) for _ in range(20))
    )
    assert said.count("too many names are being looked up") == 20 - resolving.MOST_AT_ONCE
    async with asyncio.timeout(10):
        while resolving._room._value < resolving.MOST_AT_ONCE:
            await asyncio.sleep(0.01)
    assert await refused(Outbound(), "http://slow.example/") == "not a public address"


# -- TLS -------------------------------------------------------------------------------------


@pytest.fixture
def trust(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server that is localhost, and of a client that believes it."""
    chain, key = make_certificate(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain, key)
    return server, ssl.create_default_context(cafile=chain)


async def test_tls_holds_the_name_though_an_address_is_connected_to(
    trust: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trust[0])
    port = server.sockets[0].getsockname()[1]
    names = Names(localhost=[["127.0.0.1"]], other_example=[["127.0.0.1"]])

    async def asked(host: str) -> Answer:
        outbound = Outbound(reachable=(f"127.0.0.1:{port}",), resolve=names.resolve, trust=trust[1])
        return await outbound.get(f"https://{host}:{port}/")

    async with server:
        assert (await asked("localhost")).content == b"Hi"
        with pytest.raises(Away):
            await asked("other.example")
