"""A site that has grown: some ten thousand rows of everything, made where they are kept.

Enough that a planner which could read a whole table does not find that cheaper than a search.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE, POSTS = 10_000, 30_000
SOCIABLE, FAMOUS = 1, 2  # follows everybody, is followed by everybody
TOLD = 3  # has thousands of notifications

# {n} counts to `rows`; {at} is the beginning and {then} is n hours later.
_TABLES = {
    "accounts (id, name, name_key, email_key, created_at)":
        (PEOPLE, "{n}, 'p' || {n}, 'p' || {n}, 'p' || {n} || '@example.org', {at}"),
    "kept_names (name_key, until, account_id)": (PEOPLE, "'old' || {n}, {then}, {n}"),
    "follows (follower_id, followed_id, at)":
        (5 * PEOPLE - 1, "{n} % {people} + 1, 100 + {n} / {people}, {at}"),
    "posts (id, author_id, body, created_at, deleted_at, root_id, in_reply_to_id)":
        (POSTS, ("{n}, {n} % {people} + 1, 'post', {at}, CASE {n} % 50 WHEN 0 THEN {at} END,"
         " {n} - CASE {n} % 3 WHEN 0 THEN 1 ELSE 0 END, CASE {n} % 3 WHEN 0 THEN {n} - 1 END")),
    "post_tags (post_id, tag)": (POSTS, "{n}, 't' || {n} % 7"),
    "mentions (post_id, account_id)": (POSTS, "{n}, {n} * 37 % {people} + 1"),
    "notifications (id, account_id, kind, about, actor_id, post_id, at, read_at)":
        (POSTS, ("{n}, CASE {n} % 2 WHEN 0 THEN {told} ELSE {n} % {people} + 1 END, 'mention',"
         " 'post-' || {n}, 5, {n}, {at}, CASE WHEN {n} % 5 > 0 THEN {at} END")),
    "seen_posts (account_id, post_id, at)": (POSTS, "{n} * 37 % {people} + 1, {n}, {at}"),
    "events (id, kind, payload, at)": (POSTS, "{n}, 'Unknown', '{{}}', {then}"),
    "emails (id, kind, payload, bundle, message_id, state, due_at, give_up_at, created_at,"
    " sent_at)":
        (POSTS, ("{n}, 'mention', '{{}}', 'account-' || {n} % 5, 'm',"
         " CASE {n} % 500 WHEN 0 THEN 'queued' ELSE 'sent' END, {then}, {then}, {then}, {then}")),
    "login_sessions (id, account_id, token_hash, created_at, last_seen_at, expires_at)":
        (POSTS, "{n}, {n} % {people} + 1, 'h' || {n}, {at}, {then}, {then}"),
    "password_resets (account_id, token_hash, expires_at)": (PEOPLE, "{n}, 'h' || {n}, {then}"),
    "email_changes (id, account_id, login_session_id, email, token_hash, expires_at)":
        (PEOPLE, "{n}, {n}, {n}, 'x', 'h' || {n}, {then}"),
    "email_undos (id, account_id, email, email_key, token_hash, changed_at, expires_at)":
        (PEOPLE, "{n}, {n}, 'x', 'x' || {n}, 'h' || {n}, {at}, {then}"),
    "sign_in_steps (token_hash, account_id, next_path, expires_at)":
        (PEOPLE, "'h' || {n}, {n}, '/', {then}"),
    "sign_in_notices (id, account_id, login_session_id, user_agent, token_hash, created_at,"
    " expires_at)":
        (PEOPLE, "{n}, {n}, {n}, 'x', 'h' || {n}, {at}, {then}"),
    "registrations (id, name, name_key, email, email_key, password_hash, created_at, expires_at)":
        (POSTS, "{n}, 'x', 'x' || {n}, 'x', 'x' || {n}, 'x', {at}, {then}"),
    "follow_requests (follower_id, followed_id, at)": (PEOPLE - 2, "{n} + 2, {famous}, {at}"),
    "identities (id, account_id, issuer, subject, linked_at, last_used_at)":
        (PEOPLE, "{n}, {n}, 'x', 'x' || {n}, {at}, {at}"),
    "moderation_log (id, at, act, before, after, is_public)":
        (PEOPLE, "{n}, {at}, 'x', '{{}}', '{{}}', true"),
    "reports (id, reporter_id, account_id, category, words, quoted, at, closed_at)":
        (PEOPLE, ("{n}, {n}, {n} % 100 + 1, 'spam', 'x', 'x', {at},"
         " CASE WHEN {n} % 500 > 0 THEN {at} END")),
    "appeals (entry_id, words, at, decided_at)":
        (PEOPLE, "{n}, 'x', {at}, CASE WHEN {n} % 500 > 0 THEN {at} END"),
    "applications (id, name, reason, created_at, declined_at)":
        (PEOPLE, "{n}, 'x', 'x', {at}, CASE WHEN {n} % 500 > 0 THEN {at} END"),
    "crossposts (id, post_id, account_id, kind, external_id, shown, body, state, due_at,"
    " give_up_at, created_at)":
        (PEOPLE, ("{n}, {n}, {n}, 'x', 'x', 'x', 'x',"
         " CASE {n} % 500 WHEN 0 THEN 'queued' ELSE 'sent' END, {then}, {then}, {at}")),
}  # fmt: skip
GROWN = frozenset(into.split()[0] for into in _TABLES)
_MORE_FOLLOWS = (
    "INSERT INTO follows (follower_id, followed_id, at)"
    f" SELECT {SOCIABLE}, id, created_at FROM accounts WHERE id > 1"
    f" UNION SELECT id, {FAMOUS}, created_at FROM accounts WHERE id <> {FAMOUS}"
    " ON CONFLICT DO NOTHING"
)
_GO_ON_COUNTING = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"


async def grow(url: str) -> None:
    """Fill the migrated, empty database at `url`, and let it look at what it holds."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for into, (rows, values) in _TABLES.items():
            await connection.execute(text(insert(into, rows, values, engine.dialect.name)))
        await connection.execute(text(_MORE_FOLLOWS))
    if engine.dialect.name == "postgresql":
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in ("notifications", "events", "emails"):
                await connection.execute(text(_GO_ON_COUNTING.format(table=table)))
            await connection.execute(text("VACUUM ANALYZE"))
    await engine.dispose()


def insert(into: str, rows: int, values: str, dialect: str) -> str:
    at = "'2026-01-01 00:00:00.000000'"
    then = "datetime('2026-01-01', '+' || n || ' hours') || '.000000'"
    if dialect == "postgresql":
        at, then = "timestamptz '2026-01-01Z'", "timestamptz '2026-01-01Z' + n * interval '1 hour'"
    shown = values.format(n="n", at=at, then=then, people=PEOPLE, told=TOLD, famous=FAMOUS)
    counting = f"n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})"
    return f"INSERT INTO {into} WITH RECURSIVE {counting} SELECT {shown} FROM n"
