"""Headers and parts as bytes, over the standard library's `EmailMessage` with an SMTP policy.

Two things of the standard library are not used.  Folding: a long `List-Unsubscribe` would become
encoded words, which no one-click sender understands.  Parsing of what we set: an encoded word in
somebody's name would be decoded, line breaks included, and written out again (CVE-2024-6923).
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import cache
from typing import Any

from microblog.kernel.clock import now
from microblog.mail.addresses import Mailbox

LINE = 76
# Quoted-printable text never contains "=_", so no text can contain the boundary.
BOUNDARY = "=_microblog_=_part_=_"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)


class _Policy(EmailPolicy):
    """Plain strings are stored as they are and written by `_written`."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401
        if hasattr(value, "name"):  # a header object: made here, from nothing a stranger wrote
            return name, value
        if _CONTROL.search(value):
            raise ValueError(f"{name} contains a control character")
        return name, value

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401
        if hasattr(value, "name"):
            return super().fold_binary(name, value)
        return f"{name}: {_written(name, value)}{self.linesep}".encode("ascii")


_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def message_bytes(headers: dict[str, str], *, sender: Mailbox, text: str, html: str) -> bytes:
    """A whole message.  Raises ValueError rather than write a header that was not asked for."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = _from(sender)
    message["Date"] = format_datetime(now())
    for name, value in headers.items():
        message[name] = value
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = _content_type(f'multipart/alternative; boundary="{BOUNDARY}"')
    message.set_payload([_part("plain", text), _part("html", html)])
    written = message.as_bytes()
    _check(written, message.keys())
    return written


def _part(subtype: str, text: str) -> EmailMessage:
    part = EmailMessage(policy=_POLICY)
    part["Content-Type"] = _content_type(f'text/{subtype}; charset="utf-8"')
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(b2a_qp(text.encode("utf-8"), istext=True).decode("ascii"))
    return part


@cache
def _content_type(value: str) -> Any:  # noqa: ANN401 - header classes are made at run time
    return _POLICY.header_factory("Content-Type", value)


@cache
def _from(sender: Mailbox) -> Any:  # noqa: ANN401
    address = Address(sender.name, addr_spec=sender.address)
    return _POLICY.header_factory("From", address)


def _written(name: str, value: str) -> str:
    if name != "Subject" or (_is_safe(value) and len(value) < LINE - len("Subject: ")):
        return value
    charset = "us-ascii" if _is_safe(value) else "utf-8"
    return Header(value, charset, maxlinelen=LINE, header_name=name).encode(linesep="\r\n")


def _is_safe(value: str) -> bool:
    """Whether a reader shows it as it is: what looks like an encoded word is encoded itself."""
    return value.isascii() and "=?" not in value


def _check(written: bytes, names: list[str]) -> None:
    head = written.partition(b"\r\n\r\n")[0]
    found = [name.decode("ascii") for name in _NAME.findall(head)]
    if found != names:
        raise ValueError(f"headers {found} were written instead of {names}")
