"""Who gets which answer from which route about whose object: the cells of SECURITY 36.

A route that names an object needs a row here, or `test_who_sees_what` fails: `get` or `post`, the
rule, an address with the object in it (`Town.make`), and who is to get there.  Everybody else is to
be answered as if there were nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Owner is private: follower follows them, requester has asked to, stranger has not.  Suspended
# followed them, and comes with a cookie of before.
ACTORS = (
    "stranger", "requester", "moderator", "anonymous", "suspended", "follower", "owner",
)  # fmt: skip
OUTSIDE = ("anonymous", "suspended")
EVERYBODY = " ".join(ACTORS)
MEMBERS = " ".join(actor for actor in ACTORS if actor not in OUTSIDE)
FOLLOWERS = "owner follower"
NOBODY = ""


@dataclass(frozen=True)
class Row:
    method: str
    rule: str
    path: str
    may: str
    answer: int
    refused: int  # to who is signed in and may not
    sees: str | None  # who finds the secret there; None: only that nobody else does
    answers: dict[str, int]  # to some, another one
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def names_something(self) -> bool:
        """Of what is made anew for each row."""
        return any("{" in written for written in (self.path, *self.fields.values()))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def get(rule: str, path: str, may: str, *, answer: int = 200, refused: int = 404,
        sees: str | None = None, **answers: int) -> Row:  # fmt: skip
    return Row("GET", rule, path, may, answer, refused, sees, answers)


def post(rule: str, path: str, may: str, fields: dict[str, str] | None = None, *,
         answer: int = 303, refused: int = 404, **answers: int) -> Row:  # fmt: skip
    return Row("POST", rule, path, may, answer, refused, None, answers, fields or {})


def secret(rule: str, path: str, *methods: str, refused: int = 404) -> tuple[Row, ...]:
    """What a token opens that is known to whom it was sent alone: nothing is behind another."""
    made = {"GET": get, "POST": post}
    return tuple(made[one](rule, path, NOBODY, refused=refused) for one in methods or made)


ROWS: tuple[Row, ...] = (
    # People and posts.
    get("/@<name>", "/@owner1", EVERYBODY, sees=FOLLOWERS),
    get("/@<name>", "/@left1", NOBODY),
    get("/@<name>/card", "/@owner1/card", EVERYBODY),
    get("/@<name>/card", "/@left1/card", NOBODY),
    get("/@<name>/followers", "/@owner1/followers", EVERYBODY),
    get("/@<name>/following", "/@owner1/following", EVERYBODY),
    get("/@<name>/<post_id>", "/@owner1/{post}", FOLLOWERS, sees=FOLLOWERS),
    get("/@<name>/<post_id>", "/@owner1/{reply}", FOLLOWERS, sees=FOLLOWERS),
    get("/@<name>/<post_id>", "/@open1/{open_post}", EVERYBODY, sees=FOLLOWERS),  # the reply
    get("/@<name>/<post_id>", "/@open1/{open_reply}", EVERYBODY, sees=FOLLOWERS),  # what it answers
    get("/@<name>/<post_id>", "/@open1/{post}", NOBODY),
    get("/@<name>/<post_id>", "/@owner1/{deleted}", NOBODY),
    get("/@<name>/<post_id>", "/@open1/{open_deleted}", NOBODY),
    get("/@<name>/<post_id>", "/@left1/{left_post}", NOBODY),
    get("/@<name>/<post_id>/history", "/@owner1/{post}/history", FOLLOWERS, sees=FOLLOWERS),
    get("/@<name>/<post_id>/history", "/@open1/{open_post}/history", EVERYBODY),
    get("/@<name>/<post_id>/history", "/@owner1/{deleted}/history", NOBODY),
    get("/tags/<tag>", "/tags/hidden", EVERYBODY, sees=NOBODY),
    get("/posts/new", "/posts/new?in_reply_to={post}", FOLLOWERS, sees=FOLLOWERS),
    post("/posts", "/posts", FOLLOWERS, {"body": "so", "in_reply_to": "{post}"}, refused=422),
    get("/posts/<post_id>/edit", "/posts/{post}/edit", "owner"),
    post("/posts/<post_id>/edit", "/posts/{post}/edit", "owner", {"body": "other"}),
    get("/posts/<post_id>/delete", "/posts/{post}/delete", "owner"),
    post("/posts/<post_id>/delete", "/posts/{post}/delete", "owner"),
    post("/posts/<post_id>/delete", "/posts/{open_post}/delete", NOBODY),
    get("/posts/<post_id>/report", "/posts/{post}/report", FOLLOWERS, sees=FOLLOWERS),
    post("/posts/<post_id>/report", "/posts/{post}/report", "follower", {"category": "spam"},
         owner=422),
    # Ties.
    post("/@<name>/follow", "/@open1/follow", MEMBERS),
    post("/@<name>/follow", "/@left1/follow", NOBODY),
    post("/@<name>/unfollow", "/@open1/unfollow", MEMBERS),
    get("/@<name>/report", "/@open1/report", MEMBERS),
    post("/@<name>/report", "/@open1/report", MEMBERS, {"category": "spam"}),
    post("/follow-requests/<name>", "/follow-requests/requester1", "owner", {"answer": "accept"},
         refused=303),
    post("/followers/<name>/remove", "/followers/follower1/remove", "owner", refused=303),
    # One's own things.
    get("/settings/export/<archive_id>", "/settings/export/{archive}", "owner"),
    post("/settings/sessions", "/settings/sessions", "owner", {"end": "{session}"},
         refused=303),
    post("/settings/passkeys/remove", "/settings/passkeys/remove", "owner",
         {"passkey": "{passkey}"}),
    post("/settings/identities", "/settings/identities", "owner", {"unlink": "{identity}"}),
    get("/settings/identities/<identity_id>", "/settings/identities/{identity}", "owner"),
    post("/settings/identities/<identity_id>", "/settings/identities/{identity}", "owner",
         {"name": "on"}),
    get("/settings/identities/<identity_id>/picture", "/settings/identities/{identity}/picture",
        NOBODY),  # the owner's has none
    post("/crossposts/<crosspost_id>/retry", "/crossposts/{crosspost}/retry", "owner"),
    post("/crossposts/<crosspost_id>/dismiss", "/crossposts/{crosspost}/dismiss", "owner"),
    get("/settings/import/<import_id>", "/settings/import/{import}", "owner"),
    post("/settings/import/<import_id>", "/settings/import/{import}", "owner", answer=409),
    get("/settings/import/<import_id>/left-out.csv", "/settings/import/{import}/left-out.csv",
        "owner"),
    post("/settings/import/<import_id>/stop", "/settings/import/{import}/stop", "owner"),
    post("/settings/import/<import_id>/undo", "/settings/import/{import}/undo", "owner"),
    post("/settings/invitations/<invitation_id>/withdraw",
         "/settings/invitations/{invitation}/withdraw", "owner"),
    # Moderators, through a report alone.
    get("/admin/reports/<report_id>", "/admin/reports/{report}", "moderator", sees="moderator"),
    post("/admin/reports/<report_id>", "/admin/reports/{report}", "moderator",
         {"outcome": "dismiss"}),
    get("/admin/people/<account_id>", "/admin/people/{owner}", "moderator"),
    post("/admin/people/<account_id>", "/admin/people/{left}", "moderator",
         {"act": "silence", "reason": "Loud."}),
    post("/admin/appeals/<entry_id>", "/admin/appeals/{entry}", "moderator",
         {"decision": "dismiss"}),
    post("/admin/people/<account_id>/role", "/admin/people/{owner}/role", NOBODY,
         {"role": "moderator"}),  # administrators
    post("/admin/people/<account_id>/second-step/reset",
         "/admin/people/{owner}/second-step/reset", NOBODY),  # administrators
    post("/admin/bans/<ban_id>/delete", "/admin/bans/{ban}/delete", NOBODY),  # administrators
    get("/admin/applications/<application_id>", "/admin/applications/{application}", "moderator"),
    post("/admin/applications/<application_id>", "/admin/applications/{application}", "moderator",
         {"decision": "decline", "reason": "No."}),
    post("/admin/invitations/<invitation_id>/withdraw", "/admin/invitations/{invitation}/withdraw",
         "moderator"),
    # What anybody may have, and what only a secret opens.
    get("/static/<path:filename>", "/static/app.css", EVERYBODY),
    get("/media/<name>", "/media/{avatar}", EVERYBODY),
    get("/media/<name>", "/media/{left_avatar}", NOBODY),
    get("/join/<code>", "/join/none", NOBODY, refused=303, anonymous=200, suspended=200),
    *secret("/appeals/<token>", "/appeals/1-none"),
    *secret("/admin/claim/<token>", "/admin/claim/none"),
    *secret("/confirm/<token>", "/confirm/none"),
    *secret("/email/confirm/<token>", "/email/confirm/none"),
    *secret("/email/undo/<token>", "/email/undo/none"),
    *secret("/leave/undo/<token>", "/leave/undo/none"),
    *secret("/not-me/<token>", "/not-me/none"),
    *secret("/password/reset/<token>", "/password/reset/none"),
    *secret("/u/<token>", "/u/1-follow-none"),
    *secret("/login/<provider_id>", "/login/none", "GET"),
    *secret("/login/<provider_id>/callback", "/login/none/callback", "GET"),
    *secret("/login/<provider_id>/icon", "/login/none/icon", "GET"),
    *secret("/login/<provider_id>/name", "/login/none/name"),
    *secret("/login/<provider_id>/picture", "/login/none/picture", "GET"),
)  # fmt: skip

# Of `microblog dev` alone, which serves this machine.
ONLY_DEV = ("/dev/mail/<email_id>", "/dev/mail/<email_id>/html")
