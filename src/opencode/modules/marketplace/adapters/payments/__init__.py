"""Payment providers: people who look at their bank account, and Stripe."""

from opencode.modules.marketplace.adapters.payments.manual import Manual
from opencode.modules.marketplace.adapters.payments.stripe import Stripe

__all__ = ["Manual", "Stripe"]
