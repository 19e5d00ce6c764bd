"""A home page as one writes it first with Quart and the asyncio extension of SQLAlchemy.

The cookie names the user, whose `last_seen` is written at each view; posts of the followed are
found by an `IN` over an index and loaded with their authors as entities, and Jinja draws them in
its asynchronous mode, Quart's default.  So nothing but the usual costs stands between it and ours.

Run: ``python -m tests.bench.quart_peer FILE PORT``.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

import hypercorn.asyncio
import sqlalchemy as sa
from hypercorn.config import Config
from quart import (
    Quart,
    abort,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload
from werkzeug.security import check_password_hash

from tests.bench.flask_peer import POSTS_PER_PAGE, Post, User, followers


def create_app(file: str) -> Quart:
    app = Quart(__name__, template_folder="peer_templates")
    app.secret_key = "bench"
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @app.before_request
    async def load_user() -> None:
        g.db = sessions()
        g.user = await g.db.get(User, session["user_id"]) if "user_id" in session else None
        if g.user is not None:
            g.user.last_seen = datetime.now(UTC).replace(tzinfo=None)
            await g.db.commit()

    @app.teardown_request
    async def close(_error: BaseException | None) -> None:
        await g.db.close()

    app.context_processor(lambda: {"current_user": g.user})
    app.add_url_rule("/", "index", index, methods=["GET", "POST"])
    app.add_url_rule("/explore", "explore", index)
    app.add_url_rule("/login", "login", login, methods=["GET", "POST"])
    app.add_url_rule("/logout", "logout", logout)
    app.add_url_rule("/user/<username>", "user", user)
    return app


async def index() -> Any:
    if g.user is None:
        return redirect(url_for("login"))
    if request.method == "POST":
        return await _publish((await request.form).get("post", "").strip())
    before = request.args.get("before", 2**62, type=int)
    posts = (await g.db.scalars(_home(g.user.id, before))).all()
    more = len(posts) > POSTS_PER_PAGE
    return await render_template(
        "index.html", title="Home", posts=posts[:POSTS_PER_PAGE], prev_url=None,
        csrf_token=session["csrf_token"],
        next_url=url_for("index", before=posts[POSTS_PER_PAGE - 1].id) if more else None,
    )  # fmt: skip


def _home(user_id: int, before: int) -> sa.Select[Any]:
    followed = sa.select(followers.c.followed_id).where(followers.c.follower_id == user_id)
    return (
        sa.select(Post)
        .options(joinedload(Post.author))
        .where(
            Post.user_id.in_(followed.union_all(sa.select(sa.literal(user_id)))), Post.id < before
        )
        .order_by(Post.id.desc())
        .limit(POSTS_PER_PAGE + 1)
    )


async def _publish(body: str) -> Any:
    if (await request.form).get("csrf_token") != session["csrf_token"]:
        abort(400)
    if not 1 <= len(body) <= 500:
        await flash("Between 1 and 500 characters, please.")
        return redirect(url_for("index"))
    g.db.add(Post(body=body, user_id=g.user.id, timestamp=datetime.now(UTC).replace(tzinfo=None)))
    await g.db.commit()
    await flash("Your post is now live!")
    return redirect(url_for("index"))


async def login() -> Any:
    if request.method == "GET":
        return "<form method=post><input name=username><input name=password></form>"
    form = await request.form
    found = await g.db.scalar(sa.select(User).where(User.username == form["username"]))
    if found is None or not check_password_hash(found.password_hash or "", form["password"]):
        abort(403)
    session["user_id"], session["csrf_token"] = found.id, secrets.token_hex(20)
    return session["csrf_token"]


async def logout() -> Any:
    session.clear()
    return redirect(url_for("login"))


async def user(username: str) -> Any:
    found = await g.db.scalar(sa.select(User).where(User.username == username))
    return f"{found.username}: {found.about_me or ''}" if found else abort(404)


if __name__ == "__main__":
    config = Config.from_mapping(bind=f"127.0.0.1:{sys.argv[2]}", loglevel="ERROR")
    asyncio.run(hypercorn.asyncio.serve(create_app(sys.argv[1]), config))
