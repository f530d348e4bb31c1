"""What is answered to the webhooks of payment services."""

import msgspec

from opencode.modules.marketplace.domain.payments import Outcome


class WebhookView(msgspec.Struct, frozen=True):
    """What was done with an event."""

    outcome: Outcome
