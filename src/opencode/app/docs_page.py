"""
`/docs`: the API's description as one page for people. It is HTML and a style sheet, no script, and asks nobody else for
anything, so it works with the network unplugged and under the strictest content security policy.
"""

import base64
import hashlib
import re
from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = """
:root{color-scheme:light dark;--text:#1b1f27;--quiet:#5a6372;--line:#dfe3ea;--back:#fff;--raised:#f6f7f9;
--accent:#4f46c8;--get:#1f6f8b;--post:#2f7a3d;--patch:#8a5a00;--delete:#b3261e}
@media(prefers-color-scheme:dark){:root{--text:#e6e9ef;--quiet:#9aa4b5;--line:#2c323d;--back:#14171c;--raised:#1b1f26;
--accent:#a5a0ff;--get:#7cc4dd;--post:#85cf92;--patch:#e0b25c;--delete:#ff9d94}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:14px/1.5 system-ui,sans-serif;display:grid;
grid-template-columns:280px minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:24px 16px;border-right:1px solid var(--line);
background:var(--raised)}
nav h2{font-size:12px;color:var(--quiet);margin:16px 0 4px}
nav a{display:block;padding:3px 8px;border-radius:6px;color:inherit;text-decoration:none}
nav a:hover{background:var(--line)}
main{padding:32px;max-width:960px}
h1{font-size:28px;line-height:1.2;margin:0 0 8px}
main h2{font-size:20px;margin:40px 0 8px}
h3{font-size:14px;margin:0;font-weight:600}
h4{font-size:12px;color:var(--quiet);margin:16px 0 4px;font-weight:600}
code,.path{font-family:ui-monospace,monospace;font-size:13px}
.path{overflow-wrap:anywhere}
article{border:1px solid var(--line);border-radius:8px;margin:12px 0;padding:12px 16px}
article:target{border-color:var(--accent)}
a{color:var(--accent)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.method{display:inline-block;min-width:56px;font:600 12px ui-monospace,monospace}
.get{color:var(--get)}.post,.put{color:var(--post)}.patch{color:var(--patch)}.delete{color:var(--delete)}
p{margin:4px 0;max-width:72ch}
.quiet{color:var(--quiet)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:6px 12px 6px 0;vertical-align:top}
td:first-child{white-space:nowrap}
@media(max-width:800px){body{display:block}nav{position:static;height:auto;border:0}main{padding:16px}}
"""

_digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_digest}'; base-uri 'none'; frame-ancestors 'none'"
"""The page may show itself and nothing else."""


def render_docs(document: Json) -> bytes:
    """The page for an OpenAPI document."""
    groups: dict[str, list[tuple[str, str, Json]]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            groups.setdefault((operation.get("tags") or ["Other"])[0], []).append((method, path, operation))
    schemas: Json = document["components"]["schemas"]
    info = document["info"]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style>"
        f"<nav aria-label=Calls>{''.join(_links(name, calls) for name, calls in sorted(groups.items()))}"
        '<h2>Reference</h2><a href="#schemas">Shapes</a></nav>'
        f"<main><h1>{escape(info['title'])} API</h1><p class=quiet>Version {escape(info['version'])}. "
        'The same for programs: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<p>{escape(info.get('description') or '')}</p>"
        "<p>Sign in with the cookie <code>ocp_session</code> (changes also need an <code>Origin</code> of this "
        "site) or with <code>Authorization: Bearer …</code>. Problems come as "
        f"<code>application/problem+json</code>: see "
        f"{_link('Problem')}.</p>"
        + "".join(_group(name, calls) for name, calls in sorted(groups.items()))
        + f"<h2 id=schemas>Shapes</h2>{''.join(_shape(name, schema) for name, schema in schemas.items())}</main></html>"
    ).encode()


def _links(name: str, calls: list[tuple[str, str, Json]]) -> str:
    links = "".join(
        f'<a href="#{escape(operation["operationId"])}">{escape(_summary(operation))}</a>' for _, _, operation in calls
    )
    return f"<h2>{escape(name)}</h2>{links}"


def _group(name: str, calls: list[tuple[str, str, Json]]) -> str:
    return f"<h2>{escape(name)}</h2>{''.join(_call(*call) for call in calls)}"


def _call(method: str, path: str, operation: Json) -> str:
    parts = [
        f"<article id={escape(operation['operationId'])}><h3>{escape(_summary(operation))}</h3>"
        f"<p><span class='method {method}'>{method.upper()}</span> <span class=path>{escape(path)}</span></p>"
    ]
    if description := operation.get("description"):
        parts.append(f"<p>{_text(description)}</p>")
    if parameters := operation.get("parameters"):
        rows = "".join(
            _row(parameter["name"], parameter["schema"], parameter.get("required", False), parameter["in"])
            for parameter in parameters
        )
        parts.append(f"<h4>Parameters</h4>{_table(rows)}")
    if body := operation.get("requestBody"):
        kinds = "".join(f"<p>{_type(content['schema'])}</p>" for content in body["content"].values())
        parts.append(f"<h4>Body</h4>{kinds}")
    parts.append(
        f"<h4>Answers</h4>{_table(''.join(_answer(*pair) for pair in operation['responses'].items()))}</article>"
    )
    return "".join(parts)


def _answer(status: str, answer: Json) -> str:
    kinds = [_type(content["schema"]) for content in answer.get("content", {}).values() if content.get("schema")]
    shown = "a problem" if status == "default" else escape(answer["description"])
    return (
        f"<tr><td><code>{'4xx 5xx' if status == 'default' else status}</code><td>{shown}<td>{' or '.join(kinds)}</tr>"
    )


def _shape(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = "".join(
        _row(field, described, field in required) for field, described in schema.get("properties", {}).items()
    )
    described = f"<p>{_text(schema['description'])}</p>" if schema.get("description") else ""
    content = _table(rows) if rows else f"<p>{_type(schema)}</p>"
    return f"<article id={_anchor(name)}><h3>{escape(name)}</h3>{described}{content}</article>"


def _row(name: str, schema: Json, required: bool, place: str = "") -> str:
    notes = [place] if place else []
    notes += ["required"] if required else []
    notes += [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    notes += [f"default {escape(str(schema['default']))}"] if schema.get("default") is not None else []
    text = _text(schema.get("description") or "")
    return (
        f"<tr><td><code>{escape(name)}</code><td>{_type(schema)} <span class=quiet>{', '.join(notes)}</span>"
        f"{f'<p>{text}</p>' if text else ''}</tr>"
    )


_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "minItems": "entries at least",
    "maxItems": "entries at most",
}


def _type(schema: Json) -> str:
    """What values look like, as HTML: words, or a link to the shape."""
    if "$ref" in schema:
        return _link(str(schema["$ref"]).rpartition("/")[2])
    if options := schema.get("oneOf") or schema.get("anyOf"):
        return " or ".join(_type(option) for option in options)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in values)
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items') or {})}"
    words = " or ".join(str(each) for each in kind) if isinstance(kind, list) else str(kind)
    return escape(f"{words} ({schema['format']})" if schema.get("format") else words)


def _text(text: str) -> str:
    """A description as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _table(rows: str) -> str:
    return f"<div class=scroll><table>{rows}</table></div>"


def _link(name: str) -> str:
    return f'<a href="#{_anchor(name)}">{escape(name)}</a>'


def _anchor(name: str) -> str:
    return escape(f"shape-{name}")


def _summary(operation: Json) -> str:
    return str(operation.get("summary") or operation["operationId"])
