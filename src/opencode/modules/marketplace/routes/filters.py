"""What a search is narrowed by, as parameters of an address."""

from typing import Annotated

from litestar.params import QueryParameter

from opencode.modules.marketplace.domain.catalog import PriceFilter

_MOST_VALUES = 40

SearchText = Annotated[str, QueryParameter(max_length=200, description="words; the last one may be unfinished")]
Values = Annotated[
    list[str] | None, QueryParameter(max_items=_MOST_VALUES, description="repeats; a result has ALL of them")
]
Licence = Annotated[str | None, QueryParameter(name="license", max_length=300, description="an SPDX expression")]
Featured = Annotated[bool, QueryParameter(description="true: only what administrators feature")]
Price = Annotated[PriceFilter, QueryParameter(description="free, paid or all")]
