"""Logs: one line a fact, as text or as JSON objects.

What is logged while a request is answered carries that request's id, wherever it is logged.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonLines(logging.Formatter):
    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self._worker,
        }
        if asked := request_id.get():
            line["request"] = asked
        facts = getattr(record, "facts", None)
        line |= facts if isinstance(facts, dict) else {"message": record.getMessage()}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """One line for each record; line breaks that came in with data cannot forge another."""

    def __init__(self, worker: int | None) -> None:
        who = "" if worker is None else f"worker {worker} "
        super().__init__(f"%(asctime)s %(levelname)-7s {who}%(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        return f"{line} [{asked}]" if (asked := request_id.get()) else line


def set_up(style: str, level: int = logging.INFO, *, worker: int | None = None) -> None:
    """`worker`: the number of this process among its siblings, if there are any."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonLines if style == "json" else TextLines)(worker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("microblog").setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)
