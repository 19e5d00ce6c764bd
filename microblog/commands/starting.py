"""What several commands need before they begin: settled settings, a directory, a database."""

from __future__ import annotations

import argparse
import os
import socket
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeAlias

from microblog.demo.world import seed
from microblog.kernel import schema
from microblog.kernel.db import Database
from microblog.kernel.postgresql import faults_told
from microblog.settings import Settings, SettingsError, is_loopback
from microblog.web.rendering import resource

# Name, what runs it, what it is for; the parser takes its arguments.
Command: TypeAlias = Callable[[str, object, str], argparse.ArgumentParser]


def say(text: str) -> None:
    print(text, flush=True)


def serving_settings(given: argparse.Namespace, mode: str) -> Settings:
    settings = Settings.from_env(mode=mode)
    return with_address(replace(settings, bind=given.bind) if given.bind else settings)


def with_address(settings: Settings) -> Settings:
    """Settle what is bound and, unless it is set, the BASE_URL that follows from it."""
    bind = settings.bind or _configured_bind()
    host, port = _host_and_port(bind)
    if port == 0:
        port = _free_port(host)
        bind = f"{host}:{port}"
    if settings.is_dev and not is_loopback(host):
        raise SettingsError(
            f"microblog dev serves this machine only, not {host}. Use microblog serve."
        )
    if not settings.base_url and not is_loopback(host):
        raise SettingsError(
            f"Set MICROBLOG_BASE_URL to the address people use, since {host} is bound."
        )
    if settings.limits == "off" and not is_loopback(host):
        raise SettingsError(
            "MICROBLOG_LIMITS=off is for tests on this machine; it is refused here."
        )
    base_url = settings.base_url or f"http://{host}:{port}"
    return replace(settings, bind=bind, base_url=base_url)


def _configured_bind() -> str:
    bind = tomllib.loads(resource("hypercorn.toml").read_text()).get("bind", "127.0.0.1:8000")
    return str(bind[0] if isinstance(bind, list) else bind)


def _host_and_port(bind: str) -> tuple[str, int]:
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise SettingsError(f"Cannot bind {bind!r}: write host:port, such as 127.0.0.1:8000.")
    return host, int(port)


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host.strip("[]"), 0))
        return int(probe.getsockname()[1])


async def prepared(settings: Settings) -> None:
    """Bring the database to the newest schema; of several processes that start, one does it."""
    with data_dir(settings):
        async with faults_told():
            await schema.upgrade(settings.url)


async def is_prepared(settings: Settings) -> bool:
    """Whether there is nothing left to bring it to."""
    with data_dir(settings):
        async with faults_told():
            return not await schema.needs_upgrade(settings.url)


@contextmanager
def data_dir(settings: Settings) -> Iterator[None]:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (settings.data_dir / "media").mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError(f"Cannot write {settings.data_dir}: {error.strerror}.") from error
    if not os.access(settings.data_dir, os.W_OK):
        raise SettingsError(f"Cannot write {settings.data_dir}: permission denied.")
    yield


async def in_database(settings: Settings, work: Callable[..., Awaitable[str | None]]) -> str | None:
    database = Database(settings.url)
    try:
        async with database.writing() as session:
            return await work(session)
    finally:
        await database.close()


async def in_demo(settings: Settings) -> bool:
    database = Database(settings.url)
    try:
        return await seed(database, settings)
    finally:
        await database.close()
