"""Every sentence of the program is in every catalogue, with the same placeholders."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from microblog.kernel import i18n

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "microblog" / "translations"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}|%%")
TRANSLATED = [language for language in i18n.LANGUAGES if language != i18n.DEFAULT]

# In what the program says of itself there is no shouting (INTERFACE, "Words").
UNWANTED = ("!", "¡", "Oops", "Ups")


@cache
def source() -> Catalog:
    """What `pybabel extract` finds with the settings kept beside the catalogues."""
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for _path, _line, said, _comments, context in extract_from_dir(
        ROOT, methods, options, keywords={**DEFAULT_KEYWORDS, "N_": None},
        directory_filter=lambda folder: Path(folder).name in ("microblog", "templates")
        or {"microblog", "templates"} & set(Path(folder).relative_to(ROOT).parts),
    ):  # fmt: skip
        found.add(said, context=context)
    return found


@cache
def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(message: Message) -> list[tuple[str, str]]:
    """Pairs of English and translation; plurals go with the plural."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return [(message.id[min(n, 1)], said) for n, said in enumerate(message.string)]


def test_the_source_is_found() -> None:
    said = [message.id for message in source() if message.id]
    assert len(said) > 300
    assert "Follow" in said  # a template
    assert "There is nothing here." in said  # Python


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_missing_and_nothing_is_left_over(language: str) -> None:
    wanted = {message.id for message in source() if message.id}
    here = {message.id for message in catalogue(language) if message.id}
    assert sorted(map(str, wanted - here)) == []
    assert sorted(map(str, here - wanted)) == []
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_empty_or_fuzzy(language: str) -> None:
    messages = [message for message in catalogue(language) if message.id]
    assert [m.id for m in messages if m.fuzzy] == []
    assert [m.id for m in messages if not all(said.strip() for _, said in texts(m))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_the_same_in_both_languages(language: str) -> None:
    for message in catalogue(language):
        for english, said in texts(message) if message.id else ():
            assert sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(english)), said


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_voice_is_calm_in_both_languages(language: str) -> None:
    for message in catalogue(language):
        for both in texts(message) if message.id else ():
            assert not any(word in one for word in UNWANTED for one in both), both


@pytest.mark.parametrize("language", TRANSLATED)
def test_sentences_end_as_in_english(language: str) -> None:
    """A full stop, a colon or an ellipsis is not lost on the way."""
    for message in catalogue(language):
        for english, said in texts(message) if message.id else ():
            for mark in (".", "…", "?"):
                assert said.endswith(mark) == english.endswith(mark), said


def test_every_language_can_be_chosen_and_answers() -> None:
    assert i18n.translations("es").gettext("Follow") == "Seguir"
    news = ("%(num)s notification", "%(num)s notifications")
    assert i18n.translations("es").ngettext(*news, 1) == "%(num)s notificación"
    assert i18n.translations("es").ngettext(*news, 0) == "%(num)s notificaciones"
    assert i18n.translations("en").gettext("Follow") == "Follow"
