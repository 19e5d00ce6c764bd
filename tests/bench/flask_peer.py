"""A microblog as a good tutorial builds it with Flask, Flask-SQLAlchemy and gunicorn.

Its habits are those of the genre: a cookie names the user, who is loaded and whose `last_seen` is
written at each view; the home page joins posts, authors and follows, counts them all for its
pager, and draws entities through Jinja.  Written for the bench; the page shows the same posts.

Run: ``gunicorn -b 127.0.0.1:8000 "tests.bench.flask_peer:create_app('/tmp/peer.db')"``.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import sqlalchemy as sa
from flask import (
    Flask,
    abort,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    WriteOnlyMapped,
    aliased,
    mapped_column,
    relationship,
)
from werkzeug.security import check_password_hash

POSTS_PER_PAGE = 25


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)

followers = sa.Table(
    "followers",
    db.metadata,
    sa.Column("follower_id", sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("followed_id", sa.ForeignKey("user.id"), primary_key=True),
)


class User(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(64), index=True, unique=True)
    email: Mapped[str] = mapped_column(sa.String(120), index=True, unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(256))
    about_me: Mapped[str | None] = mapped_column(sa.String(140))
    last_seen: Mapped[datetime | None]
    posts: WriteOnlyMapped[Post] = relationship(back_populates="author")
    following: WriteOnlyMapped[User] = relationship(
        secondary=followers, back_populates="followers",
        primaryjoin=followers.c.follower_id == id, secondaryjoin=followers.c.followed_id == id,
    )  # fmt: skip
    followers: WriteOnlyMapped[User] = relationship(
        secondary=followers, back_populates="following",
        primaryjoin=followers.c.followed_id == id, secondaryjoin=followers.c.follower_id == id,
    )  # fmt: skip

    def avatar(self, size: int) -> str:
        digest = md5(self.email.lower().encode(), usedforsecurity=False).hexdigest()
        return f"https://avatars.example/{digest}?d=identicon&s={size}"

    def following_posts(self) -> sa.Select[Any]:
        """Their own posts and those of whom they follow, newest first."""
        author, follower = aliased(User), aliased(User)
        return (
            sa.select(Post)
            .join(Post.author.of_type(author))
            .join(author.followers.of_type(follower), isouter=True)
            .where(sa.or_(follower.id == self.id, author.id == self.id))
            .group_by(Post)
            .order_by(Post.timestamp.desc())
        )


class Post(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(sa.String(500))
    timestamp: Mapped[datetime] = mapped_column(index=True, default=lambda: datetime.now(UTC))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey(User.id), index=True)
    author: Mapped[User] = relationship(back_populates="posts")


def create_app(file: str) -> Flask:
    app = Flask(__name__, template_folder="peer_templates")
    app.config.update(SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=f"sqlite:///{file}")
    db.init_app(app)
    app.before_request(_load_user)
    app.context_processor(lambda: {"current_user": g.user})
    app.add_url_rule("/", "index", index, methods=["GET", "POST"])
    app.add_url_rule("/explore", "explore", index)
    app.add_url_rule("/login", "login", login, methods=["GET", "POST"])
    app.add_url_rule("/logout", "logout", logout)
    app.add_url_rule("/user/<username>", "user", user)
    return app


def _load_user() -> None:
    g.user = db.session.get(User, session["user_id"]) if "user_id" in session else None
    if g.user is not None:
        g.user.last_seen = datetime.now(UTC)
        db.session.commit()


def index() -> Any:
    if g.user is None:
        return redirect(url_for("login"))
    if request.method == "POST":
        return _publish(request.form.get("post", "").strip())
    page = request.args.get("page", 1, type=int)
    posts = db.paginate(
        g.user.following_posts(), page=page, per_page=POSTS_PER_PAGE, error_out=False
    )
    return render_template(
        "index.html", title="Home", posts=posts.items, csrf_token=session["csrf_token"],
        next_url=url_for("index", page=posts.next_num) if posts.has_next else None,
        prev_url=url_for("index", page=posts.prev_num) if posts.has_prev else None,
    )  # fmt: skip


def _publish(body: str) -> Any:
    if request.form.get("csrf_token") != session["csrf_token"]:
        abort(400)
    if not 1 <= len(body) <= 500:
        flash("Between 1 and 500 characters, please.")
        return redirect(url_for("index"))
    db.session.add(Post(body=body, author=g.user))
    db.session.commit()
    flash("Your post is now live!")
    return redirect(url_for("index"))


def login() -> Any:
    if request.method == "GET":
        return "<form method=post><input name=username><input name=password></form>"
    found = db.session.scalar(sa.select(User).where(User.username == request.form["username"]))
    if found is None or not check_password_hash(
        found.password_hash or "", request.form["password"]
    ):
        abort(403)
    session["user_id"], session["csrf_token"] = found.id, secrets.token_hex(20)
    return session["csrf_token"]


def logout() -> Any:
    session.clear()
    return redirect(url_for("login"))


def user(username: str) -> Any:
    found = db.first_or_404(sa.select(User).where(User.username == username))
    return f"{found.username}: {found.about_me or ''}"
