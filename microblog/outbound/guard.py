"""Who may be asked: decided once the name is resolved, about the address that is connected to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from microblog.outbound.addresses import is_public
from microblog.outbound.failures import Away, Unsafe
from microblog.outbound.resolving import Resolve, looked_up

if TYPE_CHECKING:
    import httpx2

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Guard:
    """`reachable` are places ("127.0.0.1:8025") that may be asked besides public ones: those of a
    test or of the demo.  `trusted` are hosts that the operator wrote down."""

    reachable: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    resolve: Resolve = looked_up

    def check(self, url: httpx2.URL) -> None:
        """What can be said before anybody is asked.  Raises `Unsafe`."""
        if url.scheme not in PORTS or not url.host:
            raise Unsafe("not an address on the web")
        if url.userinfo:
            raise Unsafe("credentials in the address")
        port = url.port or PORTS[url.scheme]
        if url.host.lower() not in self.trusted and not self._is_open(port):
            raise Unsafe("not a port of the web")

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where to connect to, in digits.  Raises `Unsafe` if only one of a host's addresses may
        not be asked: a name that leads both ways was made to deceive.  Raises `Away`."""
        found = await self.resolve(host, port)
        if not found:
            raise Away("no such host", asked=False)
        if host.lower() not in self.trusted:
            for address in found:
                self._check_place(address, port)
        return found

    def _check_place(self, address: str, port: int) -> None:
        if _place(address, port) in self.reachable:
            return
        if port not in PORTS.values() or not is_public(address):
            raise Unsafe("not a public address")

    def _is_open(self, port: int) -> bool:
        return port in PORTS.values() or any(one.endswith(f":{port}") for one in self.reachable)


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
