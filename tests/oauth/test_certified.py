"""Sign-in through a certified OpenID provider (npm's oidc-provider), from discovery to the account.

    python -m pytest tests/oauth -m long

It is installed into a folder of the run, without its scripts, and nothing of it is kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from quart import Response

from microblog.oauth import discovery
from microblog.providers import Provider
from microblog.settings import Settings
from tests.web.travelling import query, sent_to
from tests.web.visitor import Visitor, text
from tests.world import World

VERSION = "9.13.3"
BACK = "http://localhost/login/club/callback"
SECRET = "a-secret-of-more-than-thirty-two-characters"
PICKED = ("RS256", "PS256", "ES256", "Ed25519")

pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has it; skips where it cannot be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed, so no certified provider is tried.")
    folder = tmp_path_factory.mktemp("certified")
    wanted = [
        "npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund",
        "--ignore-scripts", "--silent", "--prefix", folder, f"oidc-provider@{VERSION}",
    ]  # fmt: skip
    try:
        done = subprocess.run(wanted, cwd=folder, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        pytest.skip("oidc-provider cannot be installed here: npm took three minutes.")
    if done.returncode != 0:
        pytest.skip(f"oidc-provider cannot be installed here: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture
def alg(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "RS256"))


@pytest.fixture
def settings(settings: Settings, installed: Path, alg: str) -> Iterator[Settings]:
    script = Path(__file__).with_name("certified.mjs")
    command = ["node", str(script), str(installed), BACK, alg]
    environment = {"PATH": os.environ["PATH"], "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        try:
            assert running.stdout is not None
            said = next((line for line in running.stdout if line.startswith("http://")), "")
            assert said, "node has ended"
            discovery.forget()
            club = Provider("club", "oidc", "The club", said.strip(), "us", SECRET)
            yield replace(settings, providers=(club,))
        finally:
            running.kill()
            discovery.forget()


async def signed_in(url: str, name: str = "ada", *, cancels: bool = False) -> str:
    """Through its pages, sign-in and consent; the path with which it sends the browser back."""
    async with httpx2.AsyncClient(timeout=15) as there:
        answer = await there.get(url)
        for _ in range(10):
            if answer.status_code in (302, 303):
                to = urljoin(str(answer.url), answer.headers["Location"])
                if to.startswith(BACK):
                    return f"{urlsplit(to).path}?{urlsplit(to).query}"
                answer = await there.get(to)
            else:
                answer = await _sent(there, answer, name, cancels=cancels)
    raise AssertionError("it never sent us back")


async def _sent(
    there: httpx2.AsyncClient, answer: httpx2.Response, name: str, *, cancels: bool
) -> httpx2.Response:
    """The form on the screen, filled in."""
    assert answer.status_code == 200, answer.text
    if cancels:
        found = re.search(r'href="([^"]*/abort)"', answer.text)
        assert found
        return await there.get(urljoin(str(answer.url), found[1]))
    action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
    assert action
    fields = dict(
        re.findall(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="(\w+)"', answer.text)
    )
    typed = {"login": name, "password": "x"} if 'name="login"' in answer.text else {}
    return await there.post(urljoin(str(answer.url), action[1]), data=fields | typed)


async def there_and_back(world: World, visitor: Visitor, **more: bool) -> Response:
    url = await sent_to(await visitor.client.get("/login/club"))
    return await visitor.client.get(await signed_in(url, **more))


@pytest.mark.parametrize("alg", PICKED, indirect=True)
async def test_there_and_back_twice(world: World, alg: str) -> None:
    visitor = Visitor(world)
    answer = await there_and_back(world, visitor)
    assert answer.status_code == 303, await text(answer)
    page = await visitor.page(answer.headers["Location"])
    assert 'value="Ada Lovelace"' in page
    assert "ada@lovelace.example" in page
    await visitor.sends(page, "/login/club/name", username="ada")
    first = await visitor.who()
    again = Visitor(world)
    assert (await there_and_back(world, again)).headers["Location"] == "/"
    second = await again.who()
    assert first is not None
    assert second is not None
    assert first.id == second.id


async def test_what_is_asked_of_it(world: World) -> None:
    asked = query(await sent_to(await Visitor(world).client.get("/login/club")))
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert min(len(asked["state"]), len(asked["nonce"])) >= 43


async def test_without_the_challenge_it_gives_no_code(world: World) -> None:
    """It insists on PKCE, so a sign-in that works has used it."""
    url = await sent_to(await Visitor(world).client.get("/login/club"))
    back = await signed_in(re.sub(r"&?code_challenge(_method)?=[^&]*", "", url))
    assert query(back)["error"] == "invalid_request"


async def test_cancelled_over_there(world: World) -> None:
    answer = await there_and_back(world, Visitor(world), cancels=True)
    assert answer.status_code == 400
    assert "did not confirm who you are" in await text(answer)


async def test_an_answer_counts_once_and_for_one_browser(world: World) -> None:
    visitor, other = Visitor(world), Visitor(world)
    back = await signed_in(await sent_to(await visitor.client.get("/login/club")))
    assert (await other.client.get(back)).status_code == 400
    assert (await visitor.client.get(back)).status_code == 303
    assert (await visitor.client.get(back)).status_code == 400


async def test_its_answer_names_it_and_another_name_is_refused(world: World) -> None:
    """RFC 9207: it says that it names itself, so a name must stand there, and be its own."""
    for changed in (r"", r"&iss=https%3A%2F%2Fevil.example"):
        visitor = Visitor(world)
        back = await signed_in(await sent_to(await visitor.client.get("/login/club")))
        assert "iss=" in back
        answer = await visitor.client.get(re.sub(r"&iss=[^&]*", changed, back))
        assert answer.status_code == 400


@pytest.mark.parametrize("alg", ["HS256"], indirect=True)
async def test_a_shared_secret_is_no_signature(world: World, alg: str) -> None:
    answer = await there_and_back(world, Visitor(world))
    assert answer.status_code == 400
    assert "could not be relied on" in await text(answer)
