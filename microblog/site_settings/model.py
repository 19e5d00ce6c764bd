from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.model import Base
from microblog.settings import SIGN_UP, Settings

MODES = SIGN_UP
INVITERS = ("members", "staff", "administrators")


class SiteSetting(Base):
    """One that differs from the environment's."""

    __tablename__ = "site_settings"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class SiteSettings:
    name: str
    description: str
    rules: tuple[str, ...]
    sign_up: str  # of MODES
    inviters: str  # of INVITERS: who may make invitations
    invitations_each: int  # that work at the same time
    post_limit: int  # characters
    contact_name: str
    contact_email: str

    @classmethod
    def from_environment(cls, settings: Settings) -> SiteSettings:
        return cls(
            name=settings.site_name, description="", rules=(), sign_up=settings.sign_up,
            inviters="members", invitations_each=5, post_limit=settings.post_limit,
            contact_name="", contact_email="",
        )  # fmt: skip
