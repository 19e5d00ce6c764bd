"""The house guards itself: rules of DESIGN that no type checker knows."""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from quart import Quart
from sqlalchemy import create_engine

from microblog.app import INTERFACES, Machinery
from microblog.kernel import migrating, schema
from microblog.kernel.db import Database
from microblog.kernel.events import Event
from microblog.kernel.model import Base
from microblog.kernel.schema import SchemaError
from microblog.settings import Settings
from microblog.web.rendering import environment
from tests.databases import Databases

ROOT = Path(__file__).parent.parent
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}

# Routes that take a form from somebody who is not signed in.
PUBLIC_FORMS = {
    "appeals.file",
    "disowning.disown", "email_address.confirm", "email_address.undo",
    "login.sign_in", "login.sign_out", "providers.begin", "passwords.reset", "passwords.send_link",
    "leaving.come_back",
    "register.confirm", "register.create", "passkeys.sign_in", "second_step.enter",
    "unsubscribe.stop",
}  # fmt: skip
WITHOUT_TOKEN = {"unsubscribe.stop"}  # RFC 8058: mail programs have neither cookie nor token

# Events that only a later issue's reader will hear of; each needs a reason.
UNHEARD: set[str] = set()


def python_files() -> Iterator[Path]:
    return (ROOT / "microblog").rglob("*.py")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", sorted(python_files()), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small_and_hide_no_import(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    for function in functions(ast.parse(text)):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= 40, f"{function.name} has {lines} lines"
        hidden = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not hidden, f"{function.name} imports inside"


def test_only_what_runs_the_work_of_others_catches_everything() -> None:
    """The worker loop, which tries again, and a pump, which raises it where it belongs."""
    catchers = [
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if re.search(r"except (Base)?Exception\b|except:\s*$", path.read_text(), re.MULTILINE)
    ]
    assert sorted(catchers) == ["microblog/kernel/worker.py", "microblog/live/wires.py"]


def test_the_import_contracts_hold() -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def test_the_import_contracts_break_when_a_domain_package_imports_the_web(tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", ROOT / "microblog", ROOT / "pyproject.toml", tmp_path], check=True)
    queries = tmp_path / "microblog" / "follows" / "queries.py"
    queries.write_text("import microblog.web.forms\n" + queries.read_text())
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip
    assert run.returncode != 0


# Where text that is no constant is trusted as markup: drawn here, or rendered and escaped before.
TRUSTED_MARKUP = {"web/rendering.py", "web/templates.py", "web/two_factor.py"}
# Where a statement is put together, of names and numbers of ours: pragmas, tables, defaults.
JOINED_SQL = {
    "crossposts/model.py", "kernel/schema.py", "kernel/shared.py", "kernel/sqlite.py",
    "kernel/transfer.py", "mail/outbox.py",
}  # fmt: skip
SQL_TAKERS = {"text", "execute", "executemany", "executescript", "exec_driver_sql", "fetch",
              "fetchval", "scalar", "scalars", "literal_column"}  # fmt: skip


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def is_joined(said: ast.expr) -> bool:
    """Whether a text is put together where it is used: f"", +, % or format."""
    if isinstance(said, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in said.values)
    if isinstance(said, ast.BinOp):
        return any(isinstance(one, ast.JoinedStr) or isinstance(getattr(one, "value", 0), str)
                   for one in (said.left, said.right))  # fmt: skip
    called = said.func if isinstance(said, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "format"


def test_markup_and_statements_are_put_together_where_it_is_listed_only() -> None:
    found: dict[str, set[str]] = {"markup": set(), "sql": set()}
    for path in python_files():
        name = path.relative_to(ROOT / "microblog").as_posix()
        for called, node in calls(path):
            constant = all(isinstance(one, ast.Constant) for one in node.args)
            if called in ("Markup", "from_string") and not constant:
                found["markup"].add(name)
            elif called in SQL_TAKERS and node.args and is_joined(node.args[0]):
                found["sql"].add(name)
    assert found == {"markup": TRUSTED_MARKUP, "sql": JOINED_SQL}
    for written in ('f"SELECT {x}"', '"a" + x', '"a %s" % x', '"a {}".format(x)'):
        assert is_joined(ast.parse(written, mode="eval").body), written


def test_the_linter_looks_for_them_too() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]  # S608, SQL in strings; S704, Markup of what is not constant
    left_out = {*rules["ignore"], *(rule for path, some in rules["per-file-ignores"].items()
                                    for rule in some if not path.startswith("tests"))}  # fmt: skip
    assert not [rule for rule in left_out if rule.startswith("S")]


FORM_READERS = {
    "web/crossposts.py", "web/entering.py", "web/forms.py", "web/guard.py", "web/imports.py",
    "web/profile_settings.py", "web/reauthentication.py", "web/settings.py",
}  # fmt: skip


def test_forms_are_read_field_by_field() -> None:
    """What nobody asked for is ignored: no form is handed on as a whole."""
    readers = set()
    for path in (ROOT / "microblog" / "web").glob("*.py"):
        text = path.read_text()
        if re.search(r"request\.(form|files|values|json|get_json|get_data)\b", text):
            readers.add(f"web/{path.name}")
            assert not re.search(r"\*\*\(?(await request|sent)\b", text), path
    assert readers == FORM_READERS


# -- routes ----------------------------------------------------------------------------------


def changing_routes(app: Quart) -> dict[str, object]:
    return {
        rule.endpoint: app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if UNSAFE & (rule.methods or set())
    }


async def test_every_route_that_changes_something_is_for_members_or_listed(app: Quart) -> None:
    open_to_all = {e for e, v in changing_routes(app).items() if v.access == "public"}  # type: ignore[attr-defined]
    assert open_to_all == PUBLIC_FORMS


async def test_every_form_needs_a_token_but_the_listed_ones(app: Quart) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if not UNSAFE & (rule.methods or set()):
            continue
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        answer = await client.post(path)
        assert (answer.status_code == 403) is (rule.endpoint not in WITHOUT_TOKEN), rule.rule


async def test_every_route_that_changes_something_has_a_rate_limit_or_a_reason(app: Quart) -> None:
    for endpoint, view in changing_routes(app).items():
        declared = hasattr(view, "limit") or getattr(view, "unlimited", "")
        assert declared, f"{endpoint} declares neither @limited nor @unlimited"


async def test_no_page_changes_anything_when_it_is_only_looked_at(app: Quart) -> None:
    for rule in app.url_map.iter_rules():
        assert not ({"GET"} & (rule.methods or set()) and UNSAFE & (rule.methods or set())), rule


async def test_every_interface_is_joined(app: Quart) -> None:
    names = {path.stem for path in (ROOT / "microblog" / "web").glob("*.py")
             if re.search(r"^pages = Blueprint", path.read_text(), re.MULTILINE)}  # fmt: skip
    assert names == {interface.__name__.rsplit(".", 1)[1] for interface in INTERFACES} | {
        "dev_mail"
    }


def test_staff_act_only_while_their_login_session_lasts() -> None:
    for path in (ROOT / "microblog" / "web").glob("admin*.py"):
        assert "db.writing()" not in path.read_text(), f"{path.name}: use web.acting"


# -- events, mail, settings, schema ----------------------------------------------------------


def test_every_event_survives_the_log() -> None:
    for name, kind in Event.kinds.items():
        values = {field.name: 1 for field in fields(kind)}
        assert kind(**values) == Event.kinds[name](**values)
        assert all(field.name.endswith(("_id", "version")) for field in fields(kind)), name


async def test_every_event_has_a_reader(app: Quart) -> None:
    machinery: Machinery = app.extensions["machinery"]
    heard = {kind.__name__ for consumer in machinery.consumers for kind in consumer.handlers}
    source = "".join(
        (ROOT / "microblog" / "web" / name).read_text() for name in ("feed.py", "showing.py")
    )
    told = {name for name in Event.kinds if name in source}
    assert set(Event.kinds) - heard - told == UNHEARD


def test_every_template_compiles() -> None:
    for name in environment("en").list_templates():
        if not name.startswith("mail/"):
            environment("en").get_template(name)


def test_templates_never_trust_text() -> None:
    for path in (ROOT / "templates").rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert "|safe" not in text.replace(" ", ""), path
            assert not re.search(r"\son[a-z]+=|\sstyle=", text) or "mail" in path.parts, path


def test_every_setting_is_documented_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [name for name in Settings.variables() if f"`{name}`" not in readme]
    assert not missing


def test_models_and_migrations_agree(databases: Databases) -> None:
    engine = create_engine(f"sqlite:///{databases.sqlite_file()}")
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_migrations_are_one_line_named_by_their_numbers() -> None:
    scripts = ScriptDirectory.from_config(migrating.config())
    known = {script.revision for script in scripts.walk_revisions()}
    assert schema._revisions() == (scripts.get_current_head(), known)


async def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/twice.db"
    await asyncio.gather(schema.upgrade(url), schema.upgrade(url))
    await schema.check(url)


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/newer.db"
    await schema.upgrade(url)
    db = Database(url)
    async with db.writing() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await db.close()
    with pytest.raises(SchemaError, match="newer version"):
        await schema.upgrade(url)
