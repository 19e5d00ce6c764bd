"""Every page of the product, by the endpoint that draws it, and where it is looked at.

`tests/web/test_looks.py` insists that each address somebody can open is in exactly one of these
lists, so that no new page goes out without anybody having looked at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Looks = Mapping[str, Sequence[str]]  # endpoint: addresses

VISITOR: Looks = {
    "timelines.home": ["/"],
    "timelines.explore": ["/explore"],
    "timelines.tag": ["/tags/bees", "/tags/nobody"],
    "accounts.show": ["/@{otto}"],
    "threads.show": ["/@{otto}/{post}"],
    "about.show": ["/about"],
    "plain_files.shortcuts": ["/shortcuts", "/nothing-here"],
    "register.show": ["/register"],
    "register.sent": ["/register/sent"],
    "register.waiting": ["/register/waiting"],
    "register.ask": ["/confirm/none"],
    "register.join": ["/join/none"],
    "login.show": ["/login"],
    "passkeys.ask": ["/login/with-passkey"],
    "passwords.forgot": ["/password/forgot"],
    "passwords.sent": ["/password/forgot/sent"],
    "passwords.choose": ["/password/reset/none"],
    "claims.show": ["/admin/claim/none"],
    "appeals.show": ["/appeals/none"],
    "email_address.ask": ["/email/confirm/none"],
    "email_address.ask_back": ["/email/undo/none"],
    "leaving.undo": ["/leave/undo/none"],
    "disowning.show": ["/not-me/none"],
    "unsubscribe.show": ["/u/none"],
}

MEMBER: Looks = {
    "timelines.home": ["/"],
    "timelines.explore": ["/explore"],
    "notifications.index": ["/notifications"],
    "appeals.index": ["/appeals"],
    "accounts.show": ["/@{mira}", "/@{otto}"],
    "accounts.followers": ["/@{mira}/followers", "/@{nia}/followers"],
    "accounts.following": ["/@{mira}/following"],
    "threads.show": ["/@{otto}/{post}"],
    "threads.history": ["/@{mira}/{edited}/history"],
    "follow_requests.index": ["/follow-requests"],
    "posts.new": ["/posts/new", "/posts/new?in_reply_to={post}"],
    "posts.edit": ["/posts/{edited}/edit"],
    "posts.confirm_deletion": ["/posts/{edited}/delete"],
    "reports.of_post": ["/posts/{post}/report"],
    "reports.of_person": ["/@{otto}/report"],
    "moderation.show": ["/about/moderation"],
    "settings.account": ["/settings/account"],
    "settings.appearance": ["/settings/appearance"],
    "email_address.show": ["/settings/email"],
    "export.show": ["/settings/export"],
    "identities.index": ["/settings/identities"],
    "imports.index": ["/settings/import"],
    "imports.show": ["/settings/import/{brought}", "/settings/import/{offered}"],
    "invitations.index": ["/settings/invitations"],
    "leaving.show": ["/settings/leave"],
    "mail_settings.show": ["/settings/mail"],
    "user_name.show": ["/settings/name"],
    "passkeys.index": ["/settings/passkeys"],
    "privacy.show": ["/settings/privacy"],
    "profile_settings.profile": ["/settings/profile"],
    "sessions.index": ["/settings/sessions"],
    "sharing.index": ["/settings/sharing"],
    "two_factor.show": ["/settings/two-factor"],
    "reauthentication.show": ["/reauthenticate"],
    "dev_mail.index": ["/dev/mail"],
    "dev_mail.show": ["/dev/mail/1"],
}

STAFF: Looks = {
    "admin.show": ["/admin"],
    "admin.log": ["/admin/log"],
    "admin_appeals.index": ["/admin/appeals"],
    "admin_applications.index": ["/admin/applications"],
    "admin_applications.show": ["/admin/applications/{application}"],
    "admin_bans.index": ["/admin/bans"],
    "admin_invitations.index": ["/admin/invitations"],
    "admin_people.index": ["/admin/people"],
    "admin_people.show": ["/admin/people/{person}"],
    "admin_reports.index": ["/admin/reports", "/admin/reports?show=closed"],
    "admin_reports.show": ["/admin/reports/{report}"],
    "admin_settings.show": ["/admin/settings"],
}

# Where a journey leads there: the test that looks at it.
ON_THE_WAY: Mapping[str, str] = {
    "two_factor.set_up": "test_every_page: the way through two-factor sign-in",
    "second_step.show": "test_every_page: the way through two-factor sign-in",
    "accounts.card": "test_comforts",
    "providers.choose_name": "test_signing_in_through_others",
    "portraits.offer": "test_signing_in_through_others",
}

# What browsers fetch and nobody looks at, or what only leads on.
NO_PAGE: Mapping[str, str] = {
    "settings.index": "leads to /settings/profile",
    "providers.leave": "leads to the provider",
    "providers.come_back": "leads on, or says so in an error page",
    "plain_files.static": "files",
    "plain_files.security": "text for researchers",
    "plain_files.robots": "text for crawlers",
    "plain_files.provider_icon": "a picture",
    "portraits.of_newcomer": "a picture",
    "portraits.of_identity": "a picture",
    "media.picture": "a picture",
    "live.ask": "for the script of a page that could not connect",
    "health.healthz": "for programs",
    "health.readyz": "for programs",
    "metrics.metrics_page": "for programs",
    "export.fetch": "a file",
    "export.followers": "a file",
    "export.following": "a file",
    "imports.left_out": "a file",
    "dev_mail.html": "a mail, looked at in tests/mail/test_render",
}
