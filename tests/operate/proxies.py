"""nginx and Caddy as docs/deploy.md sets them up, on free ports of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mail.certificate import make_certificate
from tests.operate.deploy import box, replaced
from tests.process import free_port

PROXIES = ("nginx", "caddy")


@dataclass
class Front:
    """A proxy to be: where people reach it and by which certificate they know it."""

    program: str
    folder: Path
    port: int
    plain_port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def trusted(self) -> ssl.SSLContext:
        """A new one each time, since HTTP clients write the protocols they speak into it."""
        return ssl.create_default_context(cafile=self.folder / "certificate.pem")


def front(program: str, folder: Path) -> Front:
    if found(program) is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"REQUIRE_BROWSER=1 and no {program} was found")
        pytest.skip(f"no {program} found: apt install {program} to run the tests behind it")
    make_certificate(folder)
    return Front(program, folder, free_port(), free_port())


def found(program: str) -> str | None:
    """Where it is; people who are not root often do not look into /usr/sbin."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin")


@asynccontextmanager
async def proxying(front: Front, *site_ports: int) -> AsyncIterator[None]:
    """The proxy runs while the block lasts, in front of one site's process or of two."""
    arguments = {"nginx": _nginx, "caddy": _caddy}[front.program](front, *site_ports)
    homes = dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(front.folder))
    with (front.folder / "proxy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(found(front.program)),
            *arguments,
            stdout=log,
            stderr=log,
            env={**os.environ, **homes},
        )
    try:
        await _listening(front, process)
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 15)


async def _listening(front: Front, process: asyncio.subprocess.Process) -> None:
    for _ in range(600):
        if process.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", front.port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError((front.folder / "proxy.log").read_text())


def _nginx(front: Front, *ports: int) -> list[str]:
    server = box("nginx", "# /etc/nginx/sites-enabled/microblog\n")
    if len(ports) > 1:
        begins, ends = server.index("upstream microblog {"), server.index("server {")
        server = server[:begins] + box("nginx", "upstream microblog {\n") + server[ends:]
    server = replaced(
        server,
        {
            "listen 80;": f"listen 127.0.0.1:{front.plain_port};",
            "listen [::]:80;": "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{front.port} ssl http2;",
            "listen [::]:443 ssl http2;": "",
            "https://social.example": front.url,
            "/etc/letsencrypt/live/social.example/fullchain.pem": f"{front.folder}/certificate.pem",
            "/etc/letsencrypt/live/social.example/privkey.pem": f"{front.folder}/key.pem",
            "server_name social.example;": "server_name localhost;",
            **_ports(ports),
        },
    )
    kept = "".join(
        f"{kind}_temp_path {front.folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = (
        f"daemon off;\nuser {_me()};\npid {front.folder}/nginx.pid;\nerror_log stderr;\n"
        f"{box('nginx', 'worker_rlimit_nofile')}"
        f"http {{\ninclude /etc/nginx/mime.types;\naccess_log off;\n{kept}{server}}}\n"
    )
    path = front.folder / "nginx.conf"
    path.write_text(main)
    return ["-p", str(front.folder), "-e", "stderr", "-c", str(path)]


def _caddy(front: Front, *ports: int) -> list[str]:
    server = box("caddyfile", "# /etc/caddy/Caddyfile\n")
    if len(ports) > 1:
        to_one = "\treverse_proxy 127.0.0.1:8000 {\n"
        server = replaced(server, {to_one: box("caddyfile", "\treverse_proxy")})
    server = replaced(
        server,
        {
            "social.example {\n": (
                f"{front.url} {{\n\tbind 127.0.0.1\n"
                f"\ttls {front.folder}/certificate.pem {front.folder}/key.pem\n"
            ),
            **_ports(ports),
        },
    )
    alone = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    path = front.folder / "Caddyfile"
    path.write_text(alone + server)
    return ["run", "--adapter", "caddyfile", "--config", str(path)]


def _ports(ours: tuple[int, ...]) -> dict[str, str]:
    theirs = (8000,) if len(ours) == 1 else (8001, 8002)
    return {f"127.0.0.1:{a}": f"127.0.0.1:{b}" for a, b in zip(theirs, ours, strict=True)}


def _me() -> str:
    """nginx would otherwise serve as nobody, who may not enter our folders."""
    return "root" if os.geteuid() == 0 else "nobody"
