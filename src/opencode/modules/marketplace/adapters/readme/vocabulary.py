"""Which tags and attributes a README may have. Everything else is left out."""

from types import MappingProxyType

VOID = frozenset({"br", "col", "hr", "img", "input", "source", "wbr"})
_NAMES = (
    "a abbr b blockquote caption center cite code colgroup dd del details dfn div dl dt em figcaption figure h1 "
    "h2 h3 h4 h5 h6 i ins kbd li mark ol p picture pre q rp rt ruby s samp small span strike strong sub summary "
    "sup table tbody td tfoot th thead tr tt u ul var"
)
TAGS = VOID | frozenset(_NAMES.split())
_DROPPED = (
    "applet embed frameset iframe math noembed noframes noscript object script select style svg template textarea "
    "title xmp"
)
DROPPED_WITH_CONTENT = frozenset(_DROPPED.split())
_CELL = frozenset({"align", "colspan", "rowspan"})
_ALIGNED = frozenset({"align"})
ATTRIBUTES = MappingProxyType(
    {
        "*": frozenset({"class", "dir", "id"}),
        "a": frozenset({"href", "name", "title"}),
        "abbr": frozenset({"title"}),
        "details": frozenset({"open"}),
        "div": _ALIGNED,
        **{f"h{level}": _ALIGNED for level in range(1, 7)},
        "img": frozenset({"align", "alt", "height", "src", "srcset", "title", "width"}),
        "input": frozenset({"checked"}),
        "li": frozenset({"value"}),
        "ol": frozenset({"start"}),
        "p": _ALIGNED,
        "source": frozenset({"media", "sizes", "srcset", "type"}),
        "table": _ALIGNED,
        "td": _CELL,
        "th": _CELL,
        "tr": _ALIGNED,
    }
)
FORCED: MappingProxyType[str, dict[str, str]] = MappingProxyType(
    {
        # Pictures load when they are looked at, and their hosts do not hear which page it was.
        "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
        "input": {"type": "checkbox", "disabled": ""},
    }
)
"""What these tags have in any case, put there by `nesting`: nh3 would add it in a new order each time."""

ALERTS = ("note", "tip", "important", "warning", "caution")
