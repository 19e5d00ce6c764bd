"""The unit, the settings file and the container files, as far as they can be tried without systemd
and Docker running."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from microblog.settings import Settings
from tests.operate.deploy import PAGE, box, replaced
from tests.process import ROOT, SiteProcess

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def instructions(name: str) -> list[str]:
    """What follows `name` in the Dockerfile, each with its continued lines."""
    return re.findall(rf"^{name} ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)


# -- the settings file and the unit -----------------------------------------------------------


def test_the_settings_file_is_read_by_a_shell_and_accepted(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(box("sh", "# /etc/microblog.env\n"))
    shown = subprocess.run(
        ["sh", "-euc", f"set -a; . {tmp_path}/env; exec env"],
        env={}, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    given = dict(line.split("=", 1) for line in shown.splitlines())
    settings = Settings.from_env(given)
    assert settings.site_name == "Our place"
    assert settings.smtp is not None
    assert len([name for name in given if name.startswith("MICROBLOG_")]) >= 8


def test_every_setting_the_page_speaks_of_exists() -> None:
    spoken = set(re.findall(r"\bMICROBLOG_[A-Z_]+\b", PAGE))
    assert spoken <= set(Settings.variables())


def test_every_command_the_page_speaks_of_exists() -> None:
    spoken = set(re.findall(r"(?:`|bin/)microblog ([a-z]+)\b", PAGE))
    said = subprocess.run([sys.executable, "-m", "microblog", "--help"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    known = set(re.findall(r"^    ([a-z]+) ", said, re.MULTILINE))
    assert {"serve", "backup", "restore", "copy", "migrate"} <= spoken <= known


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1 and no systemd-analyze was found")
        pytest.skip("no systemd-analyze found: apt install systemd to check the unit")
    path = tmp_path / "microblog.service"
    # It looks whether the program is there; the network's target comes with a running system.
    text = replaced(
        box("ini", "# /etc/systemd/system/microblog.service\n"),
        {"/opt/microblog/bin/microblog": sys.executable},
    )
    path.write_text(text)
    return path


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_systemd_understands_every_line_of_the_unit(unit: Path) -> None:
    run = analyzed("verify", "--man=no", str(unit))
    said = [line for line in run.stderr.splitlines() if unit.name in line]
    assert run.returncode == 0, run.stderr
    assert not said


def test_the_unit_is_started_again_however_long_its_database_is_away() -> None:
    unit = box("ini", "# /etc/systemd/system/microblog.service\n")
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(unit.splitlines())


def test_the_unit_has_few_rights(unit: Path) -> None:
    run = analyzed("security", "--offline=true", "--threshold=20", str(unit))
    assert run.returncode == 0, run.stdout[-300:] + run.stderr


def test_the_nightly_backup_makes_a_file_of_its_own_day(tmp_path: Path) -> None:
    """The line of cron, as cron reads it: five fields, whom it is run as, the command with each
    escaped per cent sign plain."""
    line = box("sh", "# /etc/cron.d/microblog\n").splitlines()[1]
    who, command = re.fullmatch(r"(?:\S+ ){5}(\S+) (.*)", line).groups()  # type: ignore[union-attr]
    assert who == "root"
    ours = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "MICROBLOG_DATA_DIR": f"{tmp_path}/data",
    }
    program = f"{sys.executable} -m microblog"
    subprocess.run([*program.split(), "migrate"], env=ours, check=True, capture_output=True)
    (tmp_path / "env").write_text(f"MICROBLOG_DATA_DIR={tmp_path}/data\n")
    here = replaced(
        command.replace("\\%", "%"),
        {
            "/etc/microblog.env": f"{tmp_path}/env",
            "/usr/sbin/runuser -u microblog -- /opt/microblog/bin/microblog": program,
            "/var/backups/microblog": str(tmp_path),
        },
    )
    subprocess.run(["sh", "-euc", here], env={**ours, "MICROBLOG_DATA_DIR": "/nowhere"}, check=True,
                   capture_output=True)  # fmt: skip
    (made,) = tmp_path.glob("*.zip")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", made.stem)


# -- containers ----------------------------------------------------------------------------------


def copied() -> list[tuple[list[str], str]]:
    pairs = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    return [(paths[:-1], paths[-1]) for paths in pairs]


def test_all_that_the_dockerfile_copies_exists_and_is_let_through() -> None:
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for sources, _ in copied():
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in let_through


def test_what_the_dockerfile_copies_is_enough_to_install_and_start(tmp_path: Path) -> None:
    for sources, target in copied():
        for source in sources:
            place = tmp_path / "source" / (target if (ROOT / source).is_dir() else source)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
            place.parent.mkdir(exist_ok=True)
            copy(ROOT / source, place)
    # What it depends on is here already; the network would only make this slow.
    ours = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"), "HOME": str(tmp_path),
        "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COMPILE": "1",
    }  # fmt: skip
    made = [line for line in instructions("RUN") if "/opt/microblog" in line]
    assert len(made) == 3
    assert made[-1] in box("sh", "apt install python3-venv\n")
    assert made[-1] in box("sh", "/opt/microblog/bin/pip install --upgrade")
    for command in made:
        here = command.replace("/opt/microblog", f"{tmp_path}/opt")
        subprocess.run(["sh", "-euc", here], cwd=tmp_path / "source", env=ours, check=True,
                       capture_output=True, timeout=120)  # fmt: skip
    assert len([*tmp_path.glob("opt/**/web/__pycache__/compiled.*.e[ns]")]) == 2  # the templates
    program = [f"{tmp_path}/opt/bin/microblog"]
    said = subprocess.run([*program, "--help"], env=ours, cwd=tmp_path, check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    for command in re.findall(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.MULTILINE):
        assert command in said


async def test_the_health_check_of_the_image_tells_well_from_failing(
    site_process: SiteProcess,
) -> None:
    found = re.search(r'^ +CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    assert found
    assert "/healthz" in found[1]
    for port, status in ((site_process.port, 0), (9, 1)):
        asking = replaced(found[1], {"127.0.0.1:8000": f"127.0.0.1:{port}"})
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", asking, stderr=subprocess.DEVNULL
        )
        assert await process.wait() == status


def test_the_containers_use_settings_that_exist_and_no_rights() -> None:
    for text in (COMPOSE, DOCKERFILE):
        assert set(re.findall(r"\bMICROBLOG_[A-Z_]+\b", text)) <= set(Settings.variables())
    assert instructions("USER") == ["microblog"]
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(images)) == 1
    assert all("/" not in image for image in [*images, *re.findall(r"image: (\S+)", COMPOSE)])


def test_compose_names_nothing_that_it_does_not_define() -> None:
    """No YAML parser is installed; the file is plain enough to be read by its indentation."""
    assert "\t" not in COMPOSE
    services = re.findall(r"^  (\w+):$", COMPOSE.split("\nvolumes:\n")[0], re.MULTILINE)
    assert services == ["postgres", "migrate", "microblog"]
    kept = re.findall(r"^  (\w+):$", COMPOSE.split("\nvolumes:\n")[1].split("\nnetworks:")[0],
                      re.MULTILINE)  # fmt: skip
    used = set(re.findall(r"^ +- (\w+):/", COMPOSE, re.MULTILINE))
    assert used == set(kept)
    assert set(re.findall(r"^      (\w+):\n        condition:", COMPOSE, re.MULTILINE)) < set(
        services
    )
    asked = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    given = set(re.findall(r"^(\w+)=", box("sh", "# .env\n"), re.MULTILINE))
    assert asked <= given
