"""What can be asked of the outbox: how much waits, since when, and the letters kept under `dev`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser

from sqlalchemy import func, select

from microblog.kernel.model import Session
from microblog.mail.outbox import ACTIVE, IS_ACTIVE, Email


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A row for a list.  `to` and `subject` are unknown until it is composed."""

    id: int
    to: str | None
    subject: str | None
    at: datetime
    state: str
    kind: str


@dataclass(frozen=True, slots=True)
class KeptLetter:
    id: int
    to: str | None
    subject: str | None
    at: datetime
    state: str
    kind: str
    text: str
    html: str
    headers: list[tuple[str, str]]
    raw: str


async def kept(session: Session, limit: int = 100) -> list[KeptMail]:
    """Newest first; those still waiting, too."""
    rows = await session.scalars(select(Email).order_by(Email.id.desc()).limit(limit))
    return [_kept_mail(row) for row in rows]


async def kept_letter(session: Session, email_id: int) -> KeptLetter | None:
    """The whole letter; None if there is no such email or its bytes are not here (any more)."""
    row = await session.get(Email, email_id)
    if row is None or row.content is None:
        return None
    letter = message_from_bytes(row.content, policy=policy.default)
    mail = _kept_mail(row)
    return KeptLetter(
        mail.id, mail.to, mail.subject, mail.at, mail.state, mail.kind,
        text=_body(letter, "plain"), html=_body(letter, "html"),
        headers=[(name, str(value)) for name, value in letter.items()],
        raw=row.content.decode("utf-8", "replace"),
    )  # fmt: skip


async def queue_depth(session: Session) -> dict[str, int]:
    """Emails not yet settled, by state."""
    counted = select(Email.state, func.count()).where(IS_ACTIVE).group_by(Email.state)
    found = dict((await session.execute(counted)).all())
    return {state: found.get(state, 0) for state in ACTIVE}


async def oldest_due(session: Session) -> datetime | None:
    """When the next email may go; in the past: how long it has waited."""
    return await session.scalar(select(func.min(Email.due_at)).where(IS_ACTIVE))


async def reason(session: Session, email_id: int) -> str | None:
    """Why it was deferred, cancelled or refused, in the words of whoever said so."""
    return await session.scalar(select(Email.reason).where(Email.id == email_id))


def _kept_mail(row: Email) -> KeptMail:
    subject = None
    if row.content is not None:
        head = BytesHeaderParser(policy=policy.default).parsebytes(row.content)
        subject = str(head["Subject"])
    at = row.sent_at or row.created_at
    return KeptMail(row.id, row.recipient, subject, at, row.state, row.kind)


def _body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
