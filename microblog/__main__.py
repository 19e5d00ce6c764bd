"""The commands.  ``microblog --help`` lists them; ``python -m microblog`` is the same."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # to look for garbage among what is being loaded took a sixth of the start
if sys.argv[1:2] == ["backup"]:
    # On a busy processor a tenth of what the site gets (SECURITY R22); from here on, since to be
    # loaded is most of what a small one does.
    os.nice(10)

import argparse
import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from microblog.commands import administration, backups, copying, doctor, restoring, serving
from microblog.kernel.errors import DomainError, Invalid
from microblog.kernel.postgresql import DatabaseAway
from microblog.kernel.schema import SchemaError
from microblog.kernel.transfer import TransferError
from microblog.server import ServeError
from microblog.settings import SettingsError

gc.freeze()  # all this stays
gc.enable()

HELP = """\
A small, live microblog that a community runs itself.

  microblog dev           the development start: this machine only, mails kept at /dev/mail
  microblog dev --demo    the same with a small world of people who keep posting
  microblog serve         the real thing, behind a proxy that speaks TLS

Settings come from the environment; `microblog settings` lists them.
"""


INTERRUPTED = 130  # as shells say it: nothing that depends on the command may go on after Ctrl+C

MATTERS = (serving, administration, doctor, backups, restoring, copying)  # in the order of --help

EXPECTED = (
    SettingsError, ServeError, SchemaError, DomainError, TransferError,
    SQLAlchemyError, DatabaseAway, OSError,
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        if asyncio.iscoroutine(work := given.run(given)):
            # The others have a loop in each of their processes.
            return asyncio.run(_interruptible(work)) or 0
    except EXPECTED as error:
        print(f"microblog: {_sentence(error)}", file=sys.stderr, flush=True)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\nmicroblog: Interrupted", file=sys.stderr, flush=True)
        return INTERRUPTED
    return 0


async def _interruptible(work: Coroutine[Any, Any, int | None]) -> int | None:
    """Ctrl+C has it tidy up, which may take as long as somebody else holds a lock; a second one
    ends the process."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupted() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if task is not None:
            task.cancel()

    is_heard = signal.getsignal(signal.SIGINT) != signal.SIG_IGN
    if is_heard and threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGINT, interrupted)
    return await work


def _sentence(error: BaseException) -> str:
    """What went wrong, in one line."""
    match error:
        case Invalid(errors=errors):
            said = " ".join(message % values for message, values in errors.values())
        case DomainError(message=message, values=values):
            said = message % values
        case SQLAlchemyError() | DatabaseAway():
            said = f"The database does not answer: {getattr(error, 'orig', None) or error}"
        case OSError(strerror=str(why)):
            said = f"{why}: {error.filename}" if error.filename else why
        case _:
            said = str(error)
    return said


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "microblog", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, says: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=says, description=says)
        made.set_defaults(run=run)
        return made

    for matter in MATTERS:
        matter.add(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
