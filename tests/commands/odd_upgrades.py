"""`microblog`, unchanged but for its upgrades: they stop in the middle until a file says how they
go on.

    python -m tests.commands.odd_upgrades serve     with HOW, the file, in the environment
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sqlalchemy import Connection

from microblog.__main__ import main
from microblog.kernel import migrating
from microblog.kernel.schema import SchemaError

HOW = Path(os.environ["HOW"])
LONGEST = 60.0

_real = migrating.migrate


def migrate(connection: Connection) -> None:
    _real(connection)
    with HOW.with_suffix(".begun").open("a") as begun:
        begun.write(f"{os.getpid()}\n")
    ends = time.monotonic() + LONGEST
    while not HOW.exists() and time.monotonic() < ends:
        time.sleep(0.02)
    if HOW.read_text() == "fail":
        raise SchemaError("The disk makes a noise.")


if __name__ == "__main__":
    migrating.migrate = migrate
    sys.exit(main())
