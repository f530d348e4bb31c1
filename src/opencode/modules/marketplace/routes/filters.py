"""What a search is narrowed by, as parameters of an address."""

from typing import Annotated

from litestar.params import QueryParameter

from opencode.modules.marketplace.domain.catalog import PriceFilter

MOST_VALUES = 40
LONGEST_TEXT = 200
LONGEST_LICENCE = 300

SearchText = Annotated[
    str, QueryParameter(max_length=LONGEST_TEXT, description="words; the last one may be unfinished")
]
Values = Annotated[
    list[str] | None, QueryParameter(max_items=MOST_VALUES, description="repeats; a result has ALL of them")
]
Licence = Annotated[
    str | None, QueryParameter(name="license", max_length=LONGEST_LICENCE, description="an SPDX expression")
]
Featured = Annotated[bool, QueryParameter(description="true: only what administrators feature")]
Price = Annotated[PriceFilter, QueryParameter(description="free, paid or all")]
