"""What scripts add around names and pictures: cards where a mouse rests or a key has led to, and
cutting a picture where it is chosen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import Open, Window

pytestmark = pytest.mark.asyncio(loop_scope="package")

CARD = "hover-card:popover-open"
FIRST_TAKES_LONGER = """() => {
  const [real, wait] = [createImageBitmap, new Promise((done) => (window.goOn = done))];
  window.createImageBitmap = async (file) => {
    window.createImageBitmap = real;
    await wait;
    return real(file);
  };
}"""


async def with_a_post_of_another(window: Open, **options: object) -> tuple[Window, Window]:
    ben, ada = await window(), await window(**options)
    await ada.follow(ben)
    await ada.goto("/")
    await ada.live()
    await ben.post("a word from ben")
    await ada.page.click(".pill:not([hidden])")  # it came live
    await ada.page.wait_for_selector("article:has-text('a word from ben')")
    return ada, ben


async def test_a_card_opens_beside_a_name_and_lets_one_follow(window: Open) -> None:
    ada, ben = await with_a_post_of_another(window)
    await ada.page.hover("article .post-author")
    card = ada.page.locator(CARD)
    await card.locator("text=Following").first.wait_for()
    assert await card.locator(f"text=@{ben.name}").count() == 1
    await card.locator("form[action$='/unfollow'] button").click()
    await card.locator("form[action$='/follow'] button").wait_for()
    await ada.page.mouse.move(2, 2)
    await ada.page.wait_for_selector("hover-card", state="detached")
    await ada.page.hover("article .post-author")  # what it says now is asked for anew
    await card.locator("form[action$='/follow'] button").wait_for()


async def test_a_card_opens_where_a_key_has_led_to_and_closes_with_escape(window: Open) -> None:
    ada, _ = await with_a_post_of_another(window)
    await ada.page.mouse.move(2, 2)
    await ada.page.focus("article")
    await ada.page.keyboard.press("Tab")
    await ada.page.wait_for_selector(CARD)
    await ada.page.keyboard.press("Tab")
    await ada.until("document.activeElement.matches('hover-card button')")
    await ada.page.keyboard.press("Escape")
    await ada.page.wait_for_selector("hover-card", state="detached")
    await ada.until("document.activeElement.matches('.post-author')")


async def test_no_card_opens_under_a_finger(window: Open) -> None:
    size = {"width": 390, "height": 844}
    options = {"viewport": size, "has_touch": True, "is_mobile": True}
    ada, ben = await with_a_post_of_another(window, **options)
    asked: list[str] = []
    ada.page.on("request", lambda request: asked.append(request.url))
    await ada.page.tap("article .post-author")
    await ada.page.wait_for_url(f"{ada.url}/@{ben.name}")
    assert [url for url in asked if url.endswith(("/card", "hover-card.js"))] == []


def quarters() -> bytes:
    """Red, green; blue, white."""
    picture = Image.new("RGB", (80, 80), "white")
    corners = {(0, 0): (255, 0, 0), (40, 0): (0, 255, 0), (0, 40): (0, 0, 255)}
    for (x, y), colour in corners.items():
        picture.paste(colour, (x, y, x + 40, y + 40))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


async def test_a_picture_is_cut_by_keys_and_by_dragging(window: Open, tmp_path: Path) -> None:
    ada = await window()
    await ada.goto("/settings/profile")
    file = tmp_path / "quarters.png"
    file.write_bytes(quarters())
    await ada.page.set_input_files("#avatar", file)
    stage = ada.page.locator("[data-kind=avatar] canvas")
    await stage.wait_for()
    await stage.focus()
    for _ in range(8):
        await ada.page.keyboard.press("+")  # more than twice as large
    for _ in range(60):
        await ada.page.keyboard.press("ArrowRight")
    box = await stage.bounding_box()
    assert box
    await ada.page.mouse.move(box["x"] + 150, box["y"] + 20)
    await ada.page.mouse.down()
    await ada.page.mouse.move(box["x"] + 150, box["y"] + 280, steps=4)  # what is above comes down
    await ada.page.mouse.up()
    chosen = await ada.page.input_value("[data-kind=avatar] [name=crop]")
    left, top, width, height = map(float, chosen.split())
    assert (round(left + width, 2), top, width == height) == (1.0, 0.0, True)
    assert width < 0.5
    await ada.page.click("form[action$='/avatar'] button[type=submit]")
    await ada.page.wait_for_selector("form[action$='/avatar'] img")
    shown = await ada.page.locator("form[action$='/avatar'] source").get_attribute("srcset")
    answer = await ada.context.request.get(ada.url + str(shown))
    picture = Image.open(io.BytesIO(await answer.body())).convert("RGB")
    red, green, blue = picture.getpixel((200, 200))  # type: ignore[misc]
    assert (red < 60, green > 200, blue < 60) == (True, True, True)


async def test_the_cut_is_of_the_picture_that_was_chosen_last(window: Open, tmp_path: Path) -> None:
    ada = await window()
    await ada.goto("/settings/profile")
    await ada.page.evaluate(FIRST_TAKES_LONGER)
    for name, size in (("wide.png", (80, 40)), ("square.png", (40, 40))):
        Image.new("RGB", size).save(tmp_path / name)
        await ada.page.set_input_files("#avatar", tmp_path / name)
    cut = "document.querySelector('[data-kind=avatar] [name=crop]').value"
    await ada.until(f"{cut} === '0.0000 0.0000 1.0000 1.0000'")
    await ada.page.evaluate("window.goOn()")
    await ada.page.locator("[data-kind=avatar] canvas").press("+")
    assert await ada.page.evaluate(cut) == "0.0455 0.0455 0.9091 0.9091"


async def test_a_file_that_is_no_picture_is_left_to_the_server(
    window: Open, tmp_path: Path
) -> None:
    ada = await window()
    await ada.goto("/settings/profile")
    file = tmp_path / "words.png"
    file.write_text("no picture")
    await ada.page.set_input_files("#avatar", file)
    await ada.page.click("form[action$='/avatar'] button[type=submit]")
    await ada.page.wait_for_selector("text=This picture cannot be read.")


async def test_the_pages_of_the_settings_are_one_press_away_on_a_phone(window: Open) -> None:
    size = {"width": 390, "height": 844}
    for script in (True, False):
        ada = await window(viewport=size, java_script_enabled=script)
        await ada.goto("/settings/profile")
        assert await ada.page.locator("#tabs a").first.is_hidden()
        await ada.page.click(".tabs-button")
        await ada.page.click("#tabs a[href='/settings/sessions']")
        await ada.page.wait_for_url(ada.url + "/settings/sessions")
        await ada.page.set_viewport_size({"width": 1280, "height": 844})
        assert await ada.page.locator("#tabs a").last.is_visible()


async def test_what_belongs_together_stands_side_by_side(window: Open) -> None:
    """Be a label as long as in Spanish, or an address refused below."""
    ada = await window(viewport={"width": 390, "height": 844}, locale="es-ES")
    await ada.goto("/settings/profile")
    await ada.page.fill("#link_url_1", "gopher://example.org")
    await ada.page.press("#link_url_1", "Enter")
    await ada.page.wait_for_selector(".field-wrong #link_url_1")
    for number in (1, 2):
        pair = [f"#link_label_{number}", f"#link_url_{number}"]
        label, address = [await ada.page.locator(one).bounding_box() or {} for one in pair]
        assert (label["y"], label["height"]) == (address["y"], address["height"])


async def test_a_chosen_theme_is_there_before_anything_is_drawn(window: Open) -> None:
    """The style sheets are held back: what shows until they are there is dark, too."""
    one = await window(signed_in=False, color_scheme="light")
    await one.goto("/login")
    await one.page.click("theme-switch [data-value=dark]")
    await one.page.reload()
    assert await one.page.get_attribute("html", "data-theme") == "dark"
    assert await one.page.get_attribute("meta[name=color-scheme]", "content") == "dark"
    one.complaints.clear()
    other = await one.context.new_page()
    await other.route("**/*.css*", lambda route: route.abort())
    await other.goto(one.url + "/login")
    text = await other.evaluate("getComputedStyle(document.body).color")
    assert text == "rgb(255, 255, 255)"  # on black: what the browser draws by itself
