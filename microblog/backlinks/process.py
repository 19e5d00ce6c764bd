"""Finds the links of a page that say `rel="me"`.

It runs as a process of its own, by path and not as a module, since it needs nothing of this
program: ``python -I process.py`` reads a page from stdin and writes JSON to stdout.  The parser of
the standard library forgives everything, and can be made to take minutes over a page that was
written for that (CVE-2025-6069); here it has two seconds.
"""

from __future__ import annotations

import codecs
import json
import resource
import sys
from html.parser import HTMLParser

SECONDS = 2
MEMORY = 256 * 1024 * 1024
MOST_LINKS = 100
LONGEST = 2000
_LINKS = ("a", "link", "area")
# What is between these is text to a browser, whatever it looks like.
_TEXT = ("textarea", "title", "iframe", "noembed", "noframes", "xmp", "template")


class Page(HTMLParser):
    """`base` is what relative addresses stand for, "" if the page does not say."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.base = ""
        self.links: list[str] = []
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._text:
            return
        if tag in _TEXT:
            self._text = tag
            return
        said: dict[str, str] = {}
        for name, value in attrs:
            said.setdefault(name, value or "")  # the first counts
        if tag == "base" and not self.base:
            self.base = said.get("href", "")[:LONGEST]
        if tag in _LINKS and "me" in said.get("rel", "").lower().split():
            self._keep(said.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._text:
            self._text = ""

    def _keep(self, address: str) -> None:
        if 0 < len(address) <= LONGEST and len(self.links) < MOST_LINKS:
            self.links.append(address)


def read(page: bytes) -> str:
    """What is looked for is ASCII, so the encoding matters only where that is something else."""
    wide = page.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return page.decode("utf-16" if wide else "utf-8", "replace")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found = Page()
    found.feed(read(sys.stdin.buffer.read()))
    found.close()
    sys.stdout.write(json.dumps({"base": found.base, "links": found.links}))


if __name__ == "__main__":
    main()
