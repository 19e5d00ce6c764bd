"""Modules that are loaded when something of them is first wanted.

Most processes check no passkey and talk to no provider, yet loading what that takes costs each of
them 20 MiB and every start half a second:

    if TYPE_CHECKING:
        import webauthn
    else:
        webauthn = Later("webauthn")

Whoever answers requests awaits `load` first, so that nobody else waits for it meanwhile.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

_loaded: set[str] = set()


class Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever the module has
        return getattr(importlib.import_module(self._name), attribute)


async def load(*names: str) -> None:
    """Load those modules in a thread: it takes half a second in which others want their pages."""
    for name in names:
        if name not in _loaded:
            await asyncio.to_thread(importlib.import_module, name)
            _loaded.add(name)
