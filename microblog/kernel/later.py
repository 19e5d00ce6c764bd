"""Modules that are loaded when something of them is first wanted.

Most processes check no passkey and talk to no provider, yet loading what that takes costs each of
them 20 MiB and every start half a second:

    if TYPE_CHECKING:
        import webauthn
    else:
        webauthn = Later("webauthn")
"""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever the module has
        return getattr(importlib.import_module(self._name), attribute)
