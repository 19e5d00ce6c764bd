"""Answers in the two forms a route gives: a page or redirect for people, JSON for scripts."""

from __future__ import annotations

from quart import Response, ResponseReturnValue, g, jsonify, redirect, request


def wants_json() -> bool:
    """Whether JSON was asked for by name (a browser's ``*/*`` does not count)."""
    return request.accept_mimetypes.best == "application/json"


def done(url: str, *, status: int = 200, **facts: object) -> ResponseReturnValue:
    """The act succeeded: see the page at `url`, or, for a script, JSON that names it."""
    if wants_json():
        return jsonify({"url": url, **facts}), status
    return redirect(url, 303)


def error_json(
    sentence: str, status: int, fields: dict[str, str] | None = None
) -> tuple[Response, int]:
    return jsonify({"error": sentence, "fields": fields or {}, "id": request_id()}), status


def request_id() -> str:
    return str(g.get("request_id", ""))
