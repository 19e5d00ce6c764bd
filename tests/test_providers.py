"""Providers as operators name them in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from microblog import providers
from microblog.settings import Settings, SettingsError

GITHUB = {"MICROBLOG_GITHUB_CLIENT_ID": "id", "MICROBLOG_GITHUB_CLIENT_SECRET": "secret"}
STATIC = Path(__file__).parent.parent / "static"
CLUB = {
    "MICROBLOG_OIDC_CLUB_ISSUER": "https://id.example",
    "MICROBLOG_OIDC_CLUB_CLIENT_ID": "id",
    "MICROBLOG_OIDC_CLUB_CLIENT_SECRET": "secret",
}


def test_several_at_once_each_with_a_label() -> None:
    school = {name.replace("CLUB", "SCHOOL2"): value for name, value in CLUB.items()}
    settings = Settings.from_env({**GITHUB, **CLUB, **school, "MICROBLOG_OIDC_CLUB_LABEL": "Club"})
    assert [(one.id, one.label) for one in settings.providers] == [
        ("github", "GitHub"), ("club", "Club"), ("school2", "id.example"),
    ]  # fmt: skip
    assert "secret" not in repr(settings)


def test_none_is_none() -> None:
    assert Settings.from_env({"MICROBLOG_GITHUB_CLIENT_ID": ""}).providers == ()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"MICROBLOG_GITHUB_CLIENT_ID": "id"}, "MICROBLOG_GITHUB_CLIENT_SECRET is missing"),
        ({"MICROBLOG_OIDC_CLUB_LABEL": "Club"}, "MICROBLOG_OIDC_CLUB_ISSUER is missing"),
        ({**CLUB, "MICROBLOG_OIDC_CLUB_ISSUER": "http://id.example"}, "must begin with https"),
        ({**CLUB, "MICROBLOG_OIDC_CLUB_ISSUER": "id.example"}, "must begin with https"),
        ({"MICROBLOG_OIDC_CLUB_ISUER": "x"}, "Did you mean"),
        ({"MICROBLOG_OIDC_my_ISSUER": "x"}, "is not a setting"),
        ({"MICROBLOG_PASSWORDS": "off"}, "needs a provider"),
        ({"MICROBLOG_PASSWORDS": "no"}, "must be one of on, off"),
    ],
)
def test_half_a_provider_is_refused_in_a_sentence(given: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Settings.from_env(given)


@pytest.mark.parametrize("name", providers.ICONS)
def test_a_provider_has_a_drawing_of_its_own_or_one_that_is_chosen(name: str) -> None:
    given = Settings.from_env({**GITHUB, **CLUB, "MICROBLOG_OIDC_CLUB_ICON": name})
    assert [one.icon for one in given.providers] == ["github", name]
    assert f'<symbol id="{name}"' in (STATIC / "icons.svg").read_text()
    assert Settings.from_env(CLUB).providers[0].icon == "key"


@pytest.mark.parametrize("name", ["no-such", "icon.txt", "missing.png", "large.png", "folder.png"])
def test_what_is_no_icon_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "icon.txt").write_text("x")
    (tmp_path / "large.png").write_bytes(b"x" * 65_537)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SettingsError, match="MICROBLOG_OIDC_CLUB_ICON must be one of key"):
        Settings.from_env({**CLUB, "MICROBLOG_OIDC_CLUB_ICON": str(tmp_path / name)})


def test_an_id_stands_for_one_provider() -> None:
    given = {**GITHUB, **{name.replace("CLUB", "GITHUB"): value for name, value in CLUB.items()}}
    with pytest.raises(SettingsError, match="GITHUB"):
        Settings.from_env(given)


def test_a_site_may_go_without_passwords() -> None:
    assert not Settings.from_env({**GITHUB, "MICROBLOG_PASSWORDS": "off"}).has_passwords


def test_the_readme_names_every_pattern() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    assert all(f"`{pattern}`" in readme for pattern in providers.PATTERNS)
