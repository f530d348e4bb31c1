"""The settings of interviews."""

from dataclasses import dataclass

from opencode.infra.settings import setting


@dataclass(frozen=True, slots=True)
class InterviewsSettings:
    """How long interviews take, how many people and runs they hold, and how hard it is to guess a code."""

    default_language: str = setting("python", "language of an interview that is created without one")
    interview_minutes: int = setting(
        60, "minutes until a live interview ends by itself, when its maker did not say", minimum=1, maximum=1440
    )
    join_code_days: int = setting(
        30, "days after which a code stops working; it stops earlier when the interview ends", minimum=1, maximum=3650
    )
    join_attempts_per_minute: int = setting(
        10, "attempts to join per minute that one address gets (an IPv6 /64 counts as one)", minimum=1
    )
    join_failures_per_minute: int = setting(
        200,
        "wrong codes per minute from all addresses together, after which nobody joins for the rest of it",
        minimum=1,
    )
    waiting_people: int = setting(20, "people who may wait to be let in to one interview", minimum=1, maximum=500)
    guest_hours: int = setting(48, "hours that a candidate's credential lives at the most", minimum=1, maximum=720)
    goodbye_minutes: int = setting(
        15, "minutes that a candidate who is gone may still read why, before the credential ends", minimum=1
    )
    runs_at_once: int = setting(2, "runs of one interview that may be under way at once", minimum=1, maximum=50)
    chat_messages_per_minute: int = setting(60, "chat messages per minute that one person gets", minimum=1)
    signal_reports_per_minute: int = setting(
        60, "reports per minute of what a candidate's page observed; each holds up to 20 signals", minimum=1
    )
    interview_summaries: bool = setting(
        True, "let interviewers have a model draft the summary of an interview that has ended, where they may use one"
    )
    summary_input_tokens: int = setting(
        8000, "tokens of an interview's record that a model gets for a draft summary", minimum=1000, maximum=1_000_000
    )
    summaries_per_minute: int = setting(6, "draft summaries per minute that one person gets", minimum=1)
    interviews_check_s: float = setting(
        2.0, "seconds between two looks for interviews whose time is up", minimum=0.05, maximum=60
    )
