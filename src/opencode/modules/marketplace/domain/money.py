"""Prices: minor units of one currency, or free."""

import msgspec

MOST_MINOR_UNITS = 1_000_000_000

# ISO 4217, the currencies in circulation; the words of funds, metals and testing are left out.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a hundred and fifty quoted strings would be harder to read
)
_WITHOUT_MINOR = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())  # noqa: SIM905
_WITH_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


class Price(msgspec.Struct, frozen=True, gc=False):
    """What a project costs: `amount_minor` is 900 for 9.00 EUR. Free is 0, of no currency."""

    amount_minor: int = 0
    currency: str | None = None

    @property
    def is_free(self) -> bool:
        return self.amount_minor == 0

    @property
    def decimal(self) -> str:
        """The amount in whole units, such as `9.00`, with as many digits as the currency has (ISO 4217)."""
        digits = 0 if self.currency in _WITHOUT_MINOR else 3 if self.currency in _WITH_THOUSANDTHS else 2
        if not digits:
            return str(self.amount_minor)
        whole, rest = divmod(self.amount_minor, 10**digits)
        return f"{whole}.{rest:0{digits}}"


FREE = Price()


def price_problem(amount_minor: int, currency: str | None) -> tuple[str, str] | None:
    """(the part of the price that is wrong, what is wrong with it), or None."""
    if not 0 <= amount_minor <= MOST_MINOR_UNITS:
        return "/amount_minor", f"must be from 0 (free) to {MOST_MINOR_UNITS} minor units"
    if currency is None:
        return ("/currency", "is required beside an amount, such as EUR") if amount_minor else None
    if currency not in CURRENCIES:
        return "/currency", "must be a currency of ISO 4217 in capitals, such as EUR"
    return None


def price_of(amount_minor: int, currency: str | None) -> Price:
    """Free is the same in every currency."""
    return Price(amount_minor, currency) if amount_minor else FREE
