"""
READMEs: Markdown by strangers, as HTML that may stand on a page of ours.

`parsing` reads Markdown as GitHub does; `nesting` bounds what raw HTML in it can cost; `allowed` lets through what is
known to be harmless; `links` leads what is relative into the repository; `pictures` makes links of pictures that are
not shown. Safety rests on `allowed` alone.
"""

from opencode.modules.marketplace.adapters.readme.rendering import MOST_BYTES, ReadmeTooLarge, render
from opencode.modules.marketplace.adapters.readme.summary import summary_of

__all__ = ["MOST_BYTES", "ReadmeTooLarge", "render", "summary_of"]
