"""The site on Hypercorn as it comes: no serving layer of ours, so messages leave by `send`.

What another ASGI server would do.  Run: ``python -m tests.bench.fallback --bind HOST:PORT``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc

import hypercorn.asyncio
from hypercorn.config import Config

from microblog.app import create_app
from microblog.commands.starting import prepared, serving_settings


async def serve(given: argparse.Namespace) -> None:
    settings = serving_settings(given, "serve").with_secret_key()
    await prepared(settings)
    config = Config.from_mapping(bind=given.bind, backlog=1024, loglevel="ERROR")
    app = create_app(settings)
    gc.freeze()
    gc.set_threshold(10_000, 5, 1000)  # as in microblog.server, and in the bare servers
    await hypercorn.asyncio.serve(app, config, mode="asgi")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", required=True)
    asyncio.run(serve(parser.parse_args()))
