"""
Amounts as Stripe counts them: in minor units of ISO 4217, but for a few currencies (its page on currencies).

ISK and UGX have no minor unit any more and are still sent in hundredths; of currencies with three decimals the last one
must be zero; MGA is counted in whole ariary, which ISO 4217 does not do.
"""

_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_NOT_TAKEN = frozenset({"MGA"})
_HUNDRED = 100
_MOST = 99_999_999  # eight digits


def amount_problem(amount_minor: int, currency: str) -> str | None:
    """Why such a payment is not taken, or None."""
    if currency in _NOT_TAKEN:
        return f"payments in {currency} are not taken"
    if currency in _THREE_DECIMALS and amount_minor % 10:
        return f"an amount in {currency} must end in 0"
    if sent(amount_minor, currency) > _MOST:
        return "the amount is too large"
    return None


def sent(amount_minor: int, currency: str) -> int:
    """An amount of ours as it is sent."""
    return amount_minor * _HUNDRED if currency in _IN_HUNDREDTHS else amount_minor


def received(amount: int, currency: str) -> int:
    """An amount that came, in minor units. -1, which no order has, for one that cannot be."""
    if currency not in _IN_HUNDREDTHS:
        return amount
    return -1 if amount % _HUNDRED else amount // _HUNDRED
