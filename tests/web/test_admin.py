"""Looking after people, through pages as a browser without script shows them."""

from __future__ import annotations

import re

import pytest

from microblog.accounts.model import Account
from microblog.app import STOPPED
from microblog.moderation import queries
from microblog.site import Notice
from tests.moderation.conftest import House, with_role
from tests.web.visitor import FROM_A_SECRET_PAGE, Visitor, newest_link, text
from tests.world import Person, World


@pytest.fixture
async def house(world: World) -> House:
    return House(
        world,
        await with_role(world, "ada", "administrator"),
        await with_role(world, "mo", "moderator"),
        await world.person("susan"),
        await world.person("david"),
    )


async def test_from_a_report_to_an_appeal(house: House) -> None:
    susan, david, mo, ada = house.susan, house.david, house.mo, house.ada
    post = await susan.posts("You are all fools")
    assert f'href="/posts/{post}/report"' in await david.page(f"/@susan/{post}")
    assert "You are all fools" in await david.page(f"/posts/{post}/report")
    answer = await david.submit(f"/posts/{post}/report", category="harassment", words="Rude.")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/@susan/{post}")
    assert "1 waits for an answer" in await mo.page("/")
    assert "Rude." in await mo.page("/admin/reports")
    page = await mo.page("/admin/reports/1")
    assert "You are all fools" in page
    assert "@david" in page
    answer = await mo.submit("/admin/reports/1", outcome="suspend", reason="Insults.", days="7")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/reports")
    assert ">1 waits" not in await mo.page("/admin/reports")
    assert (await david.get("/@susan")).status_code == 404
    assert "Insults." in await david.page("/about/moderation")
    link = await newest_link(house.world, "/appeals/")
    visitor = Visitor(house.world)
    assert "Insults." in await visitor.page(link)
    answer = await visitor.submit(link, FROM_A_SECRET_PAGE, words="")
    assert answer.status_code == 422
    answer = await visitor.submit(link, FROM_A_SECRET_PAGE, words="I quoted a play.")
    assert answer.status_code == 303
    assert "Your appeal is sent" in await visitor.page(link)
    assert "I quoted a play." in await ada.page("/admin/appeals")
    entry = link.removeprefix("/appeals/").partition("-")[0]
    answer = await mo.submit(f"/admin/appeals/{entry}", decision="grant")
    assert answer.status_code == 403
    answer = await ada.submit(f"/admin/appeals/{entry}", decision="grant")
    assert answer.status_code == 303
    assert "You are all fools" in await david.page("/@susan")


async def test_who_is_suspended_reads_why_when_signing_in_and_appeals_without_any_mail(
    house: House,
) -> None:
    ben = Visitor(house.world)
    await ben.registers("ben")
    found = await ben.who()
    assert found
    await house.mo.submit(f"/admin/people/{found.id}", act="suspend", reason="Adverts.", days="7")
    assert (await Visitor(house.world).signs_in("ben", "not this one")).status_code == 401
    answer = await ben.signs_in("ben")
    link = answer.headers["Location"]
    assert (answer.status_code, link[:9]) == (303, "/appeals/")
    page = await ben.page(link)
    assert "Adverts." in page
    assert "It ends by itself on" in page
    await ben.submit(link, FROM_A_SECRET_PAGE, words="It was my own shop.")
    assert "Your appeal is sent" in await ben.page(link)
    entry = link.removeprefix("/appeals/").partition("-")[0]
    await house.ada.submit(f"/admin/appeals/{entry}", decision="refuse")
    assert "the decision stays as it was" in await ben.page(link)
    await house.mo.submit(f"/admin/people/{found.id}", act="lift", reason="")
    assert (await ben.signs_in("ben")).headers["Location"] == "/"


async def test_who_told_of_a_moderator_is_not_named_to_them(house: House) -> None:
    await house.david.submit("/@mo/report", category="other", words="Takes sides.")
    for path in ("/admin/reports/1", "/admin/reports", f"/admin/people/{house.mo.id}"):
        page = await house.mo.page(path)
        assert "Takes sides." in page
        assert "@david" not in page
    assert "@david" in await house.ada.page("/admin/reports/1")


async def test_an_old_appeal_undoes_no_newer_act(house: House) -> None:
    path = f"/admin/people/{house.susan.id}"
    await house.mo.submit(path, act="suspend", reason="Insults.", days="1")
    link = await newest_link(house.world, "/appeals/")
    await Visitor(house.world).submit(link, FROM_A_SECRET_PAGE, words="I quoted a play.")
    await house.mo.submit(path, act="lift", reason="")
    await house.ada.submit(path, act="suspend", reason="Threats.", days="")
    entry = link.removeprefix("/appeals/").partition("-")[0]
    await house.ada.submit(f"/admin/appeals/{entry}", decision="grant")
    assert (await house.david.get("/@susan")).status_code == 404


async def test_a_refused_form_comes_back_as_typed(house: House) -> None:
    path = f"/admin/people/{house.susan.id}"
    answer = await house.mo.submit(path, act="suspend", reason="", days="30")
    page = await text(answer)
    assert answer.status_code == 422
    assert "Say why" in page
    assert '<option value="30" selected>' in page
    answer = await house.mo.submit(path, act="nonsense")
    assert answer.status_code == 422


async def test_what_a_moderator_may_not_is_not_shown_and_refused(house: House) -> None:
    path = f"/admin/people/{house.ada.id}"
    page = await house.mo.page(path)
    assert 'name="act"' not in page
    assert "ada@example.org" not in page
    assert "susan@example.org" not in await house.mo.page(f"/admin/people/{house.susan.id}")
    assert "susan@example.org" in await house.ada.page(f"/admin/people/{house.susan.id}")
    answer = await house.mo.submit(path, act="suspend", reason="Coup.")
    assert answer.status_code == 403
    for who in (house.mo, house.susan):
        answer = await house.mo.submit(f"/admin/people/{who.id}/role", role="administrator")
        assert answer.status_code == 404
    assert (await house.account(house.mo)).role == "moderator"


async def test_an_administrator_gives_roles_but_not_to_themselves(house: House) -> None:
    await house.ada.submit(f"/admin/people/{house.susan.id}/role", role="moderator")
    assert (await house.account(house.susan)).role == "moderator"
    answer = await house.ada.submit(f"/admin/people/{house.ada.id}/role", role="member")
    assert answer.status_code == 403
    assert "This is you" in await house.ada.page(f"/admin/people/{house.ada.id}")


async def test_every_state_of_a_person_can_be_brought_about_and_undone(house: House) -> None:
    path = f"/admin/people/{house.susan.id}"
    for act in (
        "silence", "unsilence", "suspend", "lift", "end_sessions",
    ):  # fmt: skip
        answer = await house.ada.submit(path, act=act, reason="A reason.")
        assert answer.status_code == 303, act
    assert (await house.ada.submit(f"{path}/second-step/reset")).status_code == 303
    account = await house.account(house.susan)
    assert (account.suspended_at, account.silenced_at) == (None, None)
    async with house.world.db.reading() as session:
        acts = [entry.act for entry in await queries.entries(session)]
    assert acts == [
        "reset_two_factor", "end_sessions", "lift", "suspend", "unsilence", "silence",
    ]  # fmt: skip
    assert "A reason." in await house.mo.page(path)
    assert "A reason." in await house.mo.page("/admin/log")


async def test_people_are_found(house: House) -> None:
    by_address = "/admin/people?find=susan@example.org"
    assert "@susan" in await house.ada.page(by_address)
    assert "Nobody was found" in await house.mo.page(by_address)  # who may not see addresses
    page = await house.mo.page("/admin/people?find=sus")
    assert "@susan" in page
    assert "@david" not in page
    assert "Nobody was found" in await house.mo.page("/admin/people?find=%25&show=suspended")


async def test_a_person_is_reported_from_their_page_and_never_twice(house: House) -> None:
    assert "/@susan/report" in await house.david.page("/@susan")
    for _ in range(2):
        answer = await house.david.submit("/@susan/report", category="spam", words="")
        assert answer.status_code == 303
    async with house.world.db.reading() as session:
        assert (await queries.waiting(session)).total == 1
    answer = await house.susan.submit("/@susan/report", category="spam", words="")
    assert answer.status_code == 422
    assert (await house.david.get("/posts/7/report")).status_code == 404


async def test_what_people_wrote_is_never_markup(house: House) -> None:
    nasty = "<script>alert(1)</script>"
    post = await house.susan.posts(nasty)
    await house.david.submit(f"/posts/{post}/report", category="other", words=nasty)
    await house.mo.submit("/admin/reports/1", outcome="delete_post", reason=nasty)
    for path in ("/admin/reports/1", "/admin/log", "/about/moderation",
                 f"/admin/people/{house.susan.id}"):  # fmt: skip
        assert "<script>alert" not in await house.mo.page(path), path


async def test_without_an_address_one_reads_what_was_done_and_appeals(house: House) -> None:
    world, susan, mo = house.world, house.susan, house.mo
    async with world.db.writing() as session:
        account = await session.get_one(Account, susan.id)
        account.email = account.email_key = None
    post = await susan.posts("You are all fools")
    await house.david.submit(f"/posts/{post}/report", category="harassment")
    await mo.submit("/admin/reports/1", outcome="delete_post", reason="Insults <all>.")
    await mo.submit(f"/admin/people/{susan.id}", act="silence", reason="Again.")
    await world.settle()
    assert {letter.to for letter in await world.letters()} == {"david@example.org"}
    page = await susan.page("/notifications")
    assert "A moderator deleted a post of yours." in page
    assert "A moderator silenced your account." in page
    assert "@mo" not in page
    told = await susan.page("/appeals")
    for words in ("Insults &lt;all&gt;.", "You are all fools", "Again.", "@susan was silenced."):
        assert words in re.sub("<[^>]*>", "", told), words
    assert "@mo" not in re.sub("<[^>]*>", "", told)
    links = re.findall(r'href="(/appeals/[^"]+)">Appeal', told)
    assert len(links) == 2
    answer = await susan.submit(links[0], words="They began.")
    assert answer.status_code == 303
    assert "Your appeal</a>" in await susan.page("/appeals")
    assert "Nothing yet." in await house.david.page("/appeals")
    assert "A moderator" not in await house.david.page("/notifications")


async def test_what_was_told_to_moderators_alone_is_on_no_page_of_the_person(
    house: House,
) -> None:
    await house.david.submit("/@susan/report", category="harassment", words="Rude.")
    await house.mo.submit("/admin/reports/1", outcome="dismiss", reason="A quarrel of theirs.")
    assert "quarrel" not in await house.susan.page("/appeals")


async def test_what_the_operator_should_know_is_said_in_the_reader_s_language(
    house: House,
) -> None:
    house.world.site.notices = lambda: [Notice(STOPPED, {"reason": "535 no"})]
    assert "Mail is stopped: 535 no" in await house.ada.page("/admin")
    answer = await house.ada.client.get("/admin", headers={"Accept-Language": "es"})
    page = await text(answer)
    assert "535 no" in page
    assert "Mail is stopped" not in page


async def test_people_and_posts_are_counted_once_in_ten_seconds(house: House) -> None:
    """It goes through every row: a page that is loaded again and again must not."""
    posts = re.compile(r"<dt>Posts</dt><dd>(\d+)</dd>")
    assert posts.findall(await house.ada.page("/admin")) == ["0"]
    await house.susan.posts("one more")
    assert posts.findall(await house.mo.page("/admin")) == ["0"]
    kept = house.world.app.extensions["totals"]
    house.world.app.extensions["totals"] = kept._replace(until=0.0)
    assert posts.findall(await house.mo.page("/admin")) == ["1"]


async def appeal_of(house: House, who: Person, actor: Person) -> str:
    """Against a silence that `actor` has laid on them; the entry."""
    await actor.submit(f"/admin/people/{who.id}", act="silence", reason="Loud.")
    link = await newest_link(house.world, "/appeals/")
    await Visitor(house.world).submit(link, FROM_A_SECRET_PAGE, words="I whispered.")
    return link.removeprefix("/appeals/").partition("-")[0]


async def test_who_may_not_decide_about_an_appeal_is_told_so_and_shown_no_buttons(
    house: House,
) -> None:
    entry = await appeal_of(house, house.susan, house.mo)
    form = f'action="/admin/appeals/{entry}"'
    page = await house.mo.page("/admin/appeals")
    assert form not in page
    assert "somebody else decides" in page
    assert form in await house.ada.page("/admin/appeals")
    entry = await appeal_of(house, house.mo, house.ada)
    form = f'action="/admin/appeals/{entry}"'
    assert form not in await house.mo.page("/admin/appeals")


async def test_who_is_alone_decides_about_their_own_acts(house: House) -> None:
    async with house.world.db.writing() as session:
        (await session.get_one(Account, house.mo.id)).role = "member"
    entry = await appeal_of(house, house.susan, house.ada)
    assert f'action="/admin/appeals/{entry}"' in await house.ada.page("/admin/appeals")


async def test_each_queue_says_how_many_wait_in_it(house: House) -> None:
    await appeal_of(house, house.susan, house.mo)
    page = await house.ada.page("/admin")
    assert 'button-primary" href="/admin/appeals">1 waits for an answer' in page
    assert 'data-name="waiting_appeals"' in page
    shown = re.findall(r'data-name="(waiting_\w+)"[^>]*?( hidden)?>', page)
    assert shown == [
        ("waiting_reports", " hidden"),
        ("waiting_appeals", ""),
        ("waiting_applications", " hidden"),
    ]
