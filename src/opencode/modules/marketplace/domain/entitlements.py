"""What people have bought, and the keys with which programs check it."""

from dataclasses import dataclass
from datetime import datetime

from opencode.kernel.ids import EntitlementId, OrderId, ProjectId

KEY_BITS = 125
_PREFIX = "OCL"
_GROUP = 5
_BITS_OF_A_LETTER = 5
_LONGEST_TYPED = 200
_LETTERS = KEY_BITS // _BITS_OF_A_LETTER

# Crockford's base 32: what is misread most often is read as what was meant.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_MEANT = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """
    Somebody's right to a project, from an order.

    Attributes:
        slug, title: the project's as they were when it was ordered.
        key_last4, key_issued_at: of the licence key; None as long as none was made.
    """

    id: EntitlementId
    project_id: ProjectId
    user_id: str
    order_id: OrderId
    slug: str
    title: str
    quantity: int
    activated_at: datetime
    revoked_at: datetime | None
    key_last4: str | None = None
    key_issued_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None


def licence_key_of(number: int) -> str:
    """The key that a random number of `KEY_BITS` bits makes, such as `OCL-4F7K2-…`: five groups of five letters."""
    shifts = range((_LETTERS - 1) * _BITS_OF_A_LETTER, -1, -_BITS_OF_A_LETTER)
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in shifts)
    groups = [letters[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP)]
    return "-".join((_PREFIX, *groups))


def tidy_licence_key(typed: str) -> str | None:
    """A key as it was made, whatever case, blanks and dashes it was typed with; None for what can be none."""
    letters = (
        "".join(typed[:_LONGEST_TYPED].upper().replace("-", " ").split()).removeprefix(_PREFIX).translate(_AS_MEANT)
    )
    if len(letters) != _LETTERS or not set(letters) <= set(_ALPHABET):
        return None
    number = 0
    for letter in letters:
        number = number << _BITS_OF_A_LETTER | _ALPHABET.index(letter)
    return licence_key_of(number)
