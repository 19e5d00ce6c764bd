"""Templates, compiled once for each language with its sentences in place.

On a member's home page eighty sentences, twenty icons and nine addresses of static files depend on
nothing but the language.  Asking for each of them on each page took half of the time to draw it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from babel.support import NullTranslations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from microblog.kernel import i18n
from microblog.web.compiled import Compiled

Constant: TypeAlias = Callable[..., str]


class Templates(Environment):
    """In one language.  Where ``_`` or one of `constants` is called with words of the template
    only, the answer is compiled in."""

    def __init__(
        self,
        folder: Path,
        language: str,
        constants: Mapping[str, Constant],
        compiled: Compiled,
    ) -> None:
        self.compiled = compiled
        super().__init__(
            bytecode_cache=compiled,
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            auto_reload=False,  # fourteen looks at files a page
        )
        said = i18n.translations(language)
        self.install_gettext_callables(  # type: ignore[attr-defined]
            said.gettext, said.ngettext, newstyle=True
        )
        self._constants: dict[str, Constant] = {
            **constants,
            "_": partial(_sentence, said),
            "part": self._part,
        }
        self.globals.update(self._constants)

    def prepare(self, name: str) -> None:
        """Have it compiled, but not in memory: `get_template` reads it when it is asked for."""
        if self.loader is not None and name not in self.compiled:
            self.loader.load(self, name)

    def _part(self, name: str) -> Markup:
        """A partial that shows nothing but words of its own."""
        return Markup(self.get_template(name).render())  # noqa: S704 - rendered and escaped

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        _Settling(self._constants).visit(parsed)
        return parsed


class _Settling(NodeTransformer):
    def __init__(self, constants: Mapping[str, Constant]) -> None:
        self._constants = constants

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - jinja's name
        self.generic_visit(node)
        constant = (
            self._constants.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        )
        if constant is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        words: list[Any] = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
        if len(words) < len(node.args):
            return node
        return nodes.Const(constant(*words), lineno=node.lineno)


def _sentence(said: NullTranslations, message: str, **values: object) -> Markup:
    """A sentence of the catalogue, into which values are put escaped."""
    return Markup(said.gettext(message)) % values  # noqa: S704 - the catalogue is ours
