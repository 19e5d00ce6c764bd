"""What is shown beside a name: a part of a page, for whoever asks."""

from __future__ import annotations

from tests.world import World


async def test_a_card_says_who_somebody_is_and_whether_one_follows(world: World) -> None:
    ada, ben = await world.person("ada"), await world.person("ben")
    await ben.follows(ada)
    card = await ada.page("/@ben/card")
    assert card.startswith("<hover-card")
    assert "<html" not in card
    assert 'action="/@ben/follow"' in card
    assert "Follows you" in card
    await ada.follows(ben)
    assert 'action="/@ben/unfollow"' in await ada.page("/@ben/card")


async def test_neither_oneself_nor_a_visitor_is_offered_to_follow(world: World) -> None:
    ada = await world.person("ada")
    assert "<form" not in await ada.page("/@ada/card")
    answer = await world.visitor().get("/@ada/card")
    assert answer.status_code == 200
    assert "<form" not in await answer.get_data(as_text=True)


async def test_a_card_is_found_under_any_case_and_for_nobody_else(world: World) -> None:
    await world.person("Ada")
    answer = await world.visitor().get("/@ADA/card")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/@Ada/card")
    assert (await world.visitor().get("/@nobody/card")).status_code == 404


async def test_a_browser_that_chose_a_theme_gets_its_pages_in_it(world: World) -> None:
    visitor = world.visitor()
    for told, shown in (("dark", "dark"), ("light", "light"), ("<b>", "auto"), ("", "auto")):
        visitor.set_cookie("localhost", "theme", told)
        page = await (await visitor.get("/login")).get_data(as_text=True)
        assert f'data-theme="{shown}"' in page
        scheme = "light dark" if shown == "auto" else shown
        assert f'<meta name="color-scheme" content="{scheme}">' in page
