"""This machine: the settings, the data directory, the key, the disk."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from microblog.commands.checkups.findings import Finding, broken, fine, look
from microblog.settings import Settings, SettingsError

MEBIBYTE = 2**20
FULL, SCARCE = 100 * MEBIBYTE, 1024 * MEBIBYTE
FILES = 4096  # open files; a socket is one

# Where SQLite's shared memory does not work, so that the file would be damaged.
REMOTE = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.gluster", "ceph", "afs")


def examine(settings: Settings) -> Iterator[Finding]:
    yield from _settings(settings)
    yield from _data_dir(settings)
    yield from _secret_key(settings)
    yield from _open_files()


def _settings(settings: Settings) -> Iterator[Finding]:
    yield fine("settings", "all have names and values that are understood")
    if settings.limits == "off":
        yield look(
            "settings", "rate limits are off", "Remove MICROBLOG_LIMITS, unless this is a test."
        )
    if settings.workers_here == "off":
        yield look(
            "settings", "serving processes send no mail (MICROBLOG_WORKERS_HERE=off)",
            "See that microblog worker runs somewhere.",
        )  # fmt: skip


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield look(
            "data directory", f"{folder.absolute()} does not exist",
            "The first start makes it. If the site has one already, set MICROBLOG_DATA_DIR.",
        )  # fmt: skip
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield broken(
            "data directory", f"{folder} cannot be written by user {os.getuid()}",
            "Run this as the user that runs the site, or give the directory to that user (chown).",
        )  # fmt: skip
        return
    if folder.stat().st_mode & 0o007:
        yield look(
            "data directory", f"{folder} is open to every user of this machine",
            f"Run: chmod 700 {folder}",
        )  # fmt: skip
    else:
        yield fine("data directory", f"{folder} can be written, and not read by others")
    yield from _disk(folder)
    if settings.url.startswith("sqlite"):
        yield from _place(folder)


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    says = f"{free // MEBIBYTE:,} MiB free under {folder}"
    if free < FULL:
        yield broken("disk", says, "Make room now: what people post is refused when it is full.")
    elif free < SCARCE:
        yield look("disk", says, "Make room soon.")
    else:
        yield fine("disk", says)


def _place(folder: Path) -> Iterator[Finding]:
    kind = _file_system(folder)
    if kind.startswith(REMOTE):
        yield broken(
            "disk", f"{folder} is on a network file system ({kind}); SQLite cannot live there",
            "Move the data directory to a local disk, or the site to PostgreSQL: microblog copy.",
        )  # fmt: skip


def _file_system(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    places = (line.split(" ")[1:3] for line in mounts.read_text().splitlines())
    above = [(place, kind) for place, kind in places if folder.resolve().is_relative_to(place)]
    return max(above, key=lambda mount: len(mount[0]), default=("", ""))[1]


def _secret_key(settings: Settings) -> Iterator[Finding]:
    path = settings.data_dir / "secret_key"
    try:
        if not settings.secret_key and not path.exists():
            yield look("secret key", "there is none yet", "The first start makes one.")
            return
        settings.with_secret_key()
    except PermissionError:
        return  # said of the directory
    except SettingsError as error:
        yield broken("secret key", str(error), "The site does not start like this.")
        return
    yield fine("secret key", "set by the environment" if settings.secret_key else f"{path}")


def _open_files() -> Iterator[Finding]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most < FILES:
        yield look(
            "open files", f"at most {most:,}, and every open page is one",
            "Raise it for the site: LimitNOFILE=65536 in the systemd unit, ulimit -n elsewhere.",
        )  # fmt: skip
    else:
        yield fine("open files", f"at most {most:,}")
