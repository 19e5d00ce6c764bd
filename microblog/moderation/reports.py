"""What members tell moderators, and what becomes of it."""

from __future__ import annotations

from sqlalchemy import select

from microblog.accounts import queries as accounts
from microblog.kernel import text as texts
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Invalid, NotFound
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.moderation import actions
from microblog.moderation.events import ReportClosed, ReportFiled
from microblog.moderation.model import Report
from microblog.posts import queries as posts

CATEGORIES = ("spam", "harassment", "violence", "illegal", "other")
OUTCOMES = ("dismiss", "delete_post", "silence", "suspend")
LONGEST = 1000

PICK = N_("Choose what it is about.")
LONG = N_("That is too long: a report may have %(limit)s characters.")
SAY = N_("Say in a few words what is wrong.")
YOURSELF = N_("This is about yourself. You can edit or delete what you wrote.")
CLOSED = N_("Somebody has closed this report already.")


async def file(
    session: Session,
    reporter_id: int,
    account_id: int,
    *,
    category: str,
    words: str,
    post_id: int | None = None,
) -> Report:
    """Tell of a person, or of a post of theirs.  Saying it again while it is open adds nothing."""
    words = _checked(category, words)
    if reporter_id == account_id:
        raise Invalid("", YOURSELF)
    await accounts.account(session, account_id)
    if (before := await _open(session, reporter_id, account_id, post_id)) is not None:
        return before
    quoted = (await posts.own(session, account_id, post_id)).body if post_id else ""
    report = Report(
        reporter_id=reporter_id, account_id=account_id, post_id=post_id,
        category=category, words=words, quoted=quoted,
    )  # fmt: skip
    session.add(report)
    await session.flush()
    await record(session, ReportFiled(report.id))
    return report


async def close(
    session: Session,
    actor_id: int,
    report_id: int,
    *,
    outcome: str,
    reason: str = "",
    days: int | None = None,
) -> None:
    """Act, or find that there is nothing to do; every report of the same is closed with it, and
    those who told hear of it."""
    report = await session.get(Report, report_id, with_for_update=True)
    if report is None:
        raise NotFound
    if report.closed_at is not None:
        raise Conflict("", CLOSED)
    await _act(session, actor_id, report, outcome, reason, days)
    same = select(Report).where(
        Report.closed_at.is_(None),
        Report.account_id == report.account_id,
        Report.post_id == report.post_id if report.post_id else Report.post_id.is_(None),
    )
    for each in list(await session.scalars(same)):
        each.closed_at, each.closed_by_id, each.outcome = now(), actor_id, outcome
        await record(session, ReportClosed(each.id))
        await outbox.enqueue(session, "report_closed", {"report_id": each.id})
    await session.flush()


async def _act(
    session: Session, actor_id: int, report: Report, outcome: str, reason: str, days: int | None
) -> None:
    who = report.account_id
    match outcome:
        case "suspend":
            await actions.suspend(session, actor_id, who, reason=reason, days=days)
        case "silence":
            await actions.silence(session, actor_id, who, reason=reason)
        case "delete_post" if report.post_id:
            await actions.delete_post(session, actor_id, report.post_id, reason=reason)
        case "dismiss":
            target = (await actions.involved(session, actor_id, "dismiss_report", who)).target
            reason = actions.checked_reason(reason, needed=False)
            await actions.note(
                session, "dismiss_report", actor_id, target, before={}, reason=reason,
                post_id=report.post_id,
            )  # fmt: skip
        case _:
            raise Invalid("outcome", N_("Choose what to do."))


def _checked(category: str, words: str) -> str:
    if category not in CATEGORIES:
        raise Invalid("category", PICK)
    words = texts.tidy(words)
    if len(words) > LONGEST:
        raise Invalid("words", LONG, limit=LONGEST)
    if category == "other" and texts.is_blank(words):
        raise Invalid("words", SAY)
    return words


async def _open(
    session: Session, reporter_id: int, account_id: int, post_id: int | None
) -> Report | None:
    same = select(Report).where(
        Report.reporter_id == reporter_id,
        Report.account_id == account_id,
        Report.post_id == post_id if post_id else Report.post_id.is_(None),
        Report.closed_at.is_(None),
    )
    return await session.scalar(same.limit(1))
