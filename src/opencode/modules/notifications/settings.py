"""What an operator may tune about notices."""

from dataclasses import dataclass

from opencode.infra.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsSettings:
    """How long notices are kept."""

    keep_notices_days: int = setting(180, "days after which notices are deleted", minimum=1, maximum=36_500)
