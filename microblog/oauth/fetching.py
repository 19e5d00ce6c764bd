"""Requests to providers, bounded: in time, in size, and to the addresses they were made for.

The hosts that the operator wrote down, of the issuer above all, are asked wherever they are (a
community may run its provider beside its site).  What such a provider names besides, in its
discovery document, must be public like every address that others choose (`outbound`).  No redirect
is followed, and a person's picture, whose address is theirs, is not fetched from here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from microblog.kernel import later
from microblog.kernel.later import Later
from microblog.oauth.failures import Away, Doubtful
from microblog.outbound.failures import OutboundFailure, Unsafe
from microblog.outbound.guard import Guard
from microblog.providers import Provider

if TYPE_CHECKING:
    import httpx2
    from authlib.common import errors
    from authlib.integrations import httpx_client
    from authlib.integrations.httpx_client import AsyncOAuth2Client

    from microblog.oauth import bounded
else:
    bounded, httpx2 = Later("microblog.oauth.bounded"), Later("httpx2")
    errors = Later("authlib.common.errors")
    httpx_client = Later("authlib.integrations.httpx_client")

PATIENCE = 8.0  # seconds for all that one page asks of a provider
USER_AGENT = "microblog"  # GitHub refuses requests without one


@asynccontextmanager
async def client(provider: Provider, **options: Any) -> AsyncIterator[AsyncOAuth2Client]:  # noqa: ANN401
    await later.load("authlib.integrations.httpx_client", "microblog.oauth.bounded")
    opened = httpx_client.AsyncOAuth2Client(
        provider.client_id, provider.client_secret,
        transport=bounded.BoundedTransport(_guard(provider)), timeout=PATIENCE,
        headers={"User-Agent": USER_AGENT}, **options,
    )  # fmt: skip
    async with opened:
        yield opened


def _guard(provider: Provider) -> Guard:
    written = (provider.issuer, provider.authorize_url, provider.token_url, provider.api_url)
    return Guard(trusted=frozenset(host for url in written if (host := urlsplit(url).hostname)))


@asynccontextmanager
async def patiently() -> AsyncIterator[None]:
    """For all that one page asks: a provider that is slow, down or talks nonsense is `Away` or
    `Doubtful`, and nothing else."""
    try:
        async with asyncio.timeout(PATIENCE):
            with _understood():
                yield
    except TimeoutError:
        raise Away("time-out") from None


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except bounded.TooLarge as error:
        raise Doubtful(str(error)) from error
    except Unsafe as error:
        raise Doubtful(str(error)) from error
    except OutboundFailure as error:
        raise Away(str(error)) from error
    except httpx2.HTTPStatusError as error:
        kind = Away if error.response.status_code >= 500 else Doubtful
        raise kind(f"status {error.response.status_code}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Away(type(error).__name__) from error
    except errors.AuthlibBaseError as error:
        raise Doubtful("the token request was refused") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Doubtful(f"garbage: {type(error).__name__}") from error


async def asked(
    session: AsyncOAuth2Client, url: str, *, signed: bool = True, **query: str
) -> dict[str, Any]:
    """The JSON object at `url`; with the access token if `signed`."""
    answer = await session.request("GET", url, withhold_token=not signed, params=query or None)
    answer.raise_for_status()
    return _object(json.loads(answer.content))


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found
