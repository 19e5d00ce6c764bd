"""Settings as operators write them."""

from __future__ import annotations

import re
from dataclasses import Field, fields
from pathlib import Path
from threading import Thread

import pytest

from microblog.app import create_app
from microblog.settings import Settings, SettingsError
from microblog.web.guard import hosts, origins
from tests.conftest import KEY
from tests.process import ROOT

README = ROOT / "README.md"


@pytest.mark.parametrize(
    "written",
    ["https://Social.Example/", "https://social.example:443", "HTTPS://SOCIAL.EXAMPLE"],
)
def test_the_base_url_is_what_browsers_say_in_host_and_origin(written: str) -> None:
    settings = Settings.from_env({"MICROBLOG_BASE_URL": written})
    assert origins(settings) == {"https://social.example"}
    assert hosts(settings) == {"social.example"}
    assert settings.https


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("BASE_URL", "https://a.example:99999"), ("BASE_URL", "https://me@a.example"),
        ("BASE_URL", "https://a.example#x"), ("BASE_URL", "https://a.example/x"),
        ("BASE_URL", "https://m\xfcnchen.example"), ("BASE_URL", "https://a..example"),
        ("BASE_URL", "http://a.example"), ("LOG_DAYS", "nan"), ("LOG_DAYS", "-1"),
        ("DATABASE_URL", "postgresql://u:p@h:port/x"), ("LOG_DAYS", "1e12"),
        ("SECRET_KEY_OLD", "changeme"), ("MAIL_HOLD", "nan"),
    ],
)  # fmt: skip
def test_what_would_not_work_is_refused_in_a_sentence(name: str, written: str) -> None:
    with pytest.raises(SettingsError, match=f"MICROBLOG_{name}"):
        Settings.from_env({f"MICROBLOG_{name}": written})


def test_a_sender_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, base_url="http://localhost", secret_key=KEY, mail_from="nonsense"
    )
    with pytest.raises(SettingsError, match="MICROBLOG_MAIL_FROM"):
        create_app(settings)


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    found: list[str] = []

    def start() -> None:
        found.append(Settings(data_dir=tmp_path).with_secret_key().secret_key)

    starting = [Thread(target=start) for _ in range(20)]
    for one in starting:
        one.start()
    for one in starting:
        one.join()
    assert (len(found), len(set(found))) == (20, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_readme_says_of_each_setting_what_the_command_says() -> None:
    rows = re.findall(
        r"^\| `(MICROBLOG_[A-Z_]+)` \| (.*?) \| (.*) \|$", README.read_text(), re.MULTILINE
    )
    written = {name: re.sub(r"\[(.*?)\]\(.*?\)|`", r"\1", says) for name, _, says in rows}
    meant = {name: field.metadata["says"] for name, field in _fields().items()}
    assert {name: written[name] for name in meant} == meant


def _fields() -> dict[str, Field[object]]:
    by_name = {each.name: each for each in fields(Settings)}
    return {variable: by_name[name] for variable, name in Settings.variables().items()}
