"""Where the server listens, what its file may say, and how it refuses to start."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from hypercorn.config import Config

from microblog import server, wire
from tests.serving.peer import connected
from tests.serving.running import ROOT, running

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "hypercorn.toml"
    file.write_text(text)
    return file


async def test_it_says_where_it_listens_and_answers_there(tmp_path: Path) -> None:
    config = written(tmp_path, 'bind = ["127.0.0.1:0"]\ninclude_server_header = false\n')
    async with running("raw", config, bind="") as program:
        await program.ready()
        assert program.said == ["startup", f"http://127.0.0.1:{program.port}"]
        async with connected(program.port) as peer:
            peer.writer.write(REQUEST)
            await peer.read_head()
            assert peer.status == 200
            assert "server" not in peer.headers
        program.signal()
        assert await program.ends(within=10) == (0, "")


async def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = written(tmp_path, f'bind = "127.0.0.1:{taken.getsockname()[1]}"\n')
        async with running("raw", config, bind="127.0.0.1:0") as program:
            await program.ready()


async def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = written(tmp_path, "")
        async with running("raw", config, bind=f"127.0.0.1:{port}") as program:
            code, complaint = await program.ends(within=30)
    assert code == 1
    assert complaint == (
        f"Port {port} on 127.0.0.1 is in use: stop what uses it, or choose another.\n"
    )
    assert program.said == []


async def test_an_app_that_cannot_start_is_one_clear_line(tmp_path: Path) -> None:
    async with running("broken", written(tmp_path, "")) as program:
        code, complaint = await program.ends(within=30)
    assert code == 1
    assert complaint == "The application failed: Lifespan failure in startup. 'no database'\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keep_alive_timeuot = 5", "keep_alive_timeuot is none of"),
        ("workers = 0", "whole number from 1"),
        ("workers = 2.5", "whole number from 1"),
        ("workers = 'two'", "workers must be a number"),
        ("[server]\nbind = 'x'", "server is none of"),
        ("keep_alive_timeout = '5'", "keep_alive_timeout must be a number"),
        ("backlog = ", "Invalid value"),
        ("certfile = 'no.pem'\nkeyfile = 'no.key'", "No such file"),
    ],
)
async def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(server.ServeError, match=says):
        await _serve(written(tmp_path, text))


async def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(server.ServeError, match="No such file"):
        await _serve(tmp_path / "hypercorn.toml")


@pytest.mark.parametrize(
    ("bind", "says"),
    [
        ("localhost", "the form is 127.0.0.1:8000"),
        ("127.0.0.1:http", "the form is 127.0.0.1:8000"),
        ("127.0.0.1:99999", "the form is 127.0.0.1:8000"),
        ("203.0.113.7:8000", "the form is 127.0.0.1:8000"),  # not an address of this machine
    ],
)
async def test_a_place_nobody_can_listen_at_is_refused(
    tmp_path: Path, bind: str, says: str
) -> None:
    with pytest.raises(server.ServeError, match=says):
        await _serve(written(tmp_path, ""), bind)


def test_the_file_we_ship_is_accepted_and_bounds_what_it_should() -> None:
    config = server._configured(ROOT / "hypercorn.toml")
    assert config.bind == ["127.0.0.1:8000"]
    assert config.websocket_max_message_size == 4096
    assert (config.websocket_ping_interval or 0) * wire.SILENT_PINGS == 60
    assert config.read_timeout is None
    assert not config.include_server_header


def test_every_key_we_allow_is_one_of_hypercorns() -> None:
    assert all(hasattr(Config, key) for key in server.KEYS)


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (OSError(113, "No route to host"), 0),  # Hypercorn #361
        (TimeoutError("SSL shutdown timed out"), 0),
        (ExceptionGroup("both", [ConnectionResetError(), BrokenPipeError()]), 0),
        (OSError(24, "Too many open files"), 1),
        (ExceptionGroup("one", [ConnectionResetError(), ValueError("ours")]), 1),
        (ValueError("ours"), 1),
    ],
)
def test_what_peers_do_is_no_news_and_our_mistakes_are(
    error: Exception, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    context: dict[str, Any] = {"message": "Unhandled exception", "exception": error}
    with caplog.at_level(logging.INFO):
        server._report(None, context)  # type: ignore[arg-type]
    assert len(caplog.messages) == lines


async def _serve(config: Path, bind: str | None = None) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("not started")

    async def drained() -> None: ...

    async with asyncio.timeout(5):
        place = server.listen(config, bind)
        await server.serve(app, place, on_ready=lambda _: None, on_drain=drained)
