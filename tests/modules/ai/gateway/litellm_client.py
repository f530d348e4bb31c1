"""LiteLLM in an environment of its own, at the end of a pipe: it speaks as `tests/clients/pipe.mjs` does."""

import json
import sys
from typing import Any

import litellm  # pyright: ignore[reportMissingImports]

HELLO = [{"role": "user", "content": "Say hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PATIENCE_S = 20

# It prints what it notices, and on this process's output only answers may stand.
answers, sys.stdout = sys.stdout, sys.stderr


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """A chat as `Heard` in words of OpenAI, which is what LiteLLM makes of every dialect."""
    tools = [
        {"type": "function", "function": {"name": name, "description": name, "parameters": SCHEMA}}
        for name in asked["tools"]
    ]
    options = {"tools": tools} if tools else {}
    options |= {"api_base": asked["api_base"], "api_key": asked["api_key"]}
    options |= {"stream": asked["stream"], "timeout": PATIENCE_S, "max_retries": 0}
    told = litellm.completion(model=asked["model"], messages=HELLO, **options)
    if asked["stream"]:
        told = litellm.stream_chunk_builder(list(told), messages=HELLO)
    choice = told.choices[0]
    calls = [[each.function.name, json.loads(each.function.arguments)] for each in choice.message.tool_calls or ()]
    return {"text": choice.message.content or "", "calls": calls, "finish": choice.finish_reason}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told = {"id": asked["id"], "result": answer(asked)}
        except Exception as error:
            name, status = type(error).__name__, getattr(error, "status_code", None)
            told = {"id": asked["id"], "error": {"name": name, "message": str(error), "status": status}}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
