"""Writes docs/ai-configuration.md and the published schema from the model: `make docs`. A test holds both to it."""

import json
from pathlib import Path
from typing import Any

from opencode.modules.ai.domain.configuration.model import SCHEMA_ID, json_schema
from opencode.modules.ai.domain.configuration.presets import PRESETS
from opencode.modules.ai.settings import VALUE_PREFIX

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "ai-configuration.md"
SCHEMA = DOCS / "schemas" / "ai.v1.json"

Json = dict[str, Any]

_HEAD = f"""\
# The AI configuration

One file, `opencode.json`, names every model provider. It is JSON with comments and commas before closing brackets, \
and carries `"$schema": "{SCHEMA_ID}"`, which is how it is told from a file of the coding agent that has the same \
name: that one is left alone. The schema is [schemas/ai.v1.json](schemas/ai.v1.json), and `ocp ai schema` prints it.

```jsonc
{{
  "$schema": "{SCHEMA_ID}",
  "providers": {{
    "ollama": {{ "type": "local", "models": ["llama3.2"] }},
    "openai": {{ "type": "cloud", "api_key": "${{OPENAI_API_KEY}}", "models": ["gpt-4o-mini"] }},
    "lab": {{ "type": "custom", "base_url": "http://127.0.0.1:8000/v1", "api_key": "{{file:lab.key}}", \
"discover": true }},
  }},
  "aliases": {{ "fast": "ollama/llama3.2" }},
  "fallbacks": {{ "fast": ["openai/gpt-4o-mini"] }}, // a model is called <provider>/<model>, or by an alias
}}
```

## Layers

Later ones are on top: `/etc/opencode/opencode.json`, `opencode-platform/opencode.json` in the user's configuration \
folder (`~/.config`), `opencode.json` of the project (the nearest one at or above the working folder, no higher than \
its repository), the file that `--config` or `OCP_AI_CONFIG` names, providers that administrators have added, and \
variables: \
`{VALUE_PREFIX}LIMITS__CONCURRENCY=5` is `limits.concurrency`, in lower case. Objects are merged key by key, \
anything else replaces what is below it, and \
`null` takes it away. Limits that administrators have set hold where nothing else says anything of them \
([ai.md](ai.md#limits-that-administrators-set)).

## What is filled in

In values, never in keys, and only once: `${{NAME}}` is the variable, and it is a mistake when that is missing or \
empty; `${{NAME:-default}}` has a default, `${{NAME:-}}` is the empty text; `$$` is a dollar sign; `{{file:path}}` \
is \
what a file says, relative to the configuration's folder. Where a number, or true or false, is wanted, the text \
becomes one.

## The command

| | |
|---|---|
| `ocp ai check` | tells every mistake as `file:line:column: message`, with the likely right word; status 1 if \
there is one |
| `ocp ai show` | prints what is in force, as JSON, with secrets masked |
| `ocp ai explain KEY` | tells the layer, file and line that each value under a key comes from |
| `ocp ai diff FILE` | tells what would change if the file were named; status 1 if something would |
| `ocp ai schema` | prints the JSON Schema, for editors |
| `ocp ai doctor` | checks, then tests the connection to each provider from here and names the fix; status 1 if one \
is not good |
| `ocp ai import FILE` | makes a configuration of ours from the coding agent's file, and tells what it left out; \
`--to` writes it |
| `ocp ai rotate` | seals the stored keys of providers with a new key |
| `ocp ai mock` | runs a small provider on loopback, to [try things without a model](ai.md#without-a-model) |

`check`, `show`, `explain` and `doctor` look at providers and limits of administrators as well, when there is a \
database (`--data` names its folder). [ai.md](ai.md#providers) tells what a server does with all this while it runs.

## Reference

Made by `make docs`: change the model, not this page.

"""
_PRESETS_HEAD = """\
## Presets

What a provider is called by its own name, or by `preset`, when it has no `base_url`.

| preset | type | dialect | address |
|---|---|---|---|
"""


def render() -> str:
    definitions: Json = json_schema()["$defs"]
    structs = {name: each for name, each in definitions.items() if each.get("type") == "object"}
    parts = [_section(name, structs[name], definitions) for name in structs]
    presets = (f"| `{name}` | {p.type} | {p.dialect} | `{p.base_url}` |" for name, p in sorted(PRESETS.items()))
    return _HEAD + "\n".join(parts) + "\n" + _PRESETS_HEAD + "\n".join(presets) + "\n"


def render_schema() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(name: str, schema: Json, definitions: Json) -> str:
    rows = [
        f"| `{key}` | {_kind(each, definitions)} | {_default(each, key in schema['required'])} | {_doc(each)} |"
        for key, each in schema["properties"].items()
    ]
    about = f"{schema['description']}\n\n" if "description" in schema else ""
    return f"### {name}\n\n{about}| key | kind | default | what it is |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _kind(schema: Json, definitions: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        options = definitions[name].get("enum")
        return ", ".join(f"`{option}`" for option in options) if options else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        kinds = (_kind(each, definitions) for each in schema["anyOf"] if each.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], definitions)}"
    if schema.get("type") == "object":
        return f"by name: {_kind(schema['additionalProperties'], definitions)}"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}[schema["type"]]


def _default(schema: Json, required: bool) -> str:
    if required:
        return "must be given"
    default = schema.get("default")
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _doc(schema: Json) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = f" ({low:g} to {high:g})" if low is not None and high is not None else ""
    return f"{schema.get('description', '')}{bounds}".strip().replace("|", "\\|")


if __name__ == "__main__":
    SCHEMA.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
    SCHEMA.write_text(render_schema(), encoding="utf-8")
