"""Engines for PostgreSQL, and which of its errors mean "try again later".

A reading transaction is one snapshot (REPEATABLE READ), as on SQLite: what a page shows is of one
moment.  A writing one sees what was committed before its turn (READ COMMITTED).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from microblog.kernel import patience
from microblog.kernel.later import Later

if TYPE_CHECKING:
    import asyncpg
else:
    asyncpg = Later("asyncpg")

READERS = 5
WRITERS = 4  # one in its turn, the others for mail
GOODBYE = 0.2  # seconds; a server that is gone does not say it

# Classes of SQLSTATE (PostgreSQL, appendix A): connection lost, out of resources (disk full),
# stopped by the operator or a timeout, system error, deadlock or serialisation, lock timeout.
_PASSING = ("08", "53", "57", "58", "40", "55", "25P03")


class DatabaseAway(Exception):
    """The server does not answer, or not now."""


@cache
def _connection_class() -> type[Any]:
    class Connection(asyncpg.Connection):  # type: ignore[misc]
        """Hangs up where the server does not answer; SQLAlchemy would wait for two seconds."""

        async def close(self, *, timeout: float | None = GOODBYE) -> None:  # noqa: ASYNC109 - theirs
            try:
                await super().close(timeout=min(timeout or GOODBYE, GOODBYE))
            except TimeoutError:
                self.terminate()

    return Connection


def engines(url: URL, wait: float, *, unhurried: bool = False) -> tuple[AsyncEngine, AsyncEngine]:
    """For reading and for writing; connections, answers and locks are waited for `wait` seconds.
    Commands that go through whole tables are unhurried: an answer may take as long as it takes."""
    arguments = {
        "connection_class": _connection_class(),
        "timeout": wait,
        "command_timeout": None if unhurried else wait,
        "server_settings": {
            "application_name": "microblog",
            "lock_timeout": f"{int(wait * 1000)}ms",
            # A process that froze or was cut off inside a transaction must not hold everybody's
            # turn for longer than requests wait for theirs.
            "idle_in_transaction_session_timeout": "60s" if unhurried else "3s",
            # Planning home's statement costs more than running it.  Every statement is one search
            # or a few, the same whatever the values are; tests/plans holds both plans to that.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
        },
    }
    make = partial(
        create_async_engine, url, hide_parameters=True, pool_pre_ping=True, max_overflow=0,
        pool_timeout=wait, connect_args=arguments,
    )  # fmt: skip
    reader = make(pool_size=READERS, isolation_level="REPEATABLE READ")
    writer = make(pool_size=WRITERS)
    return reader.execution_options(postgresql_readonly=True), writer


@asynccontextmanager
async def faults_told() -> AsyncIterator[None]:
    """Raise `DatabaseAway` for what asyncpg and the network say in many ways, and when a request
    has waited long enough."""
    try:
        async with asyncio.timeout(patience.left()):
            yield
    except DBAPIError as error:
        if error.connection_invalidated or _passing(error.orig):
            raise DatabaseAway(str(error.orig)) from error
        raise
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError) as error:
        raise DatabaseAway(str(error) or "no answer in time") from error
    except asyncpg.PostgresError as error:  # while connecting, nothing wraps them
        raise DatabaseAway(str(error)) from error


def _passing(error: BaseException | None) -> bool:
    return str(getattr(error, "sqlstate", None) or "").startswith(_PASSING)
