"""HTML that the server writes itself: markup that escapes by itself, and the public pages that modules offer."""

from opencode.infra.html.markup import Markup, data_block, element, place
from opencode.infra.html.page import PageAddress, PageOffer, PublicPage

__all__ = ["Markup", "PageAddress", "PageOffer", "PublicPage", "data_block", "element", "place"]
