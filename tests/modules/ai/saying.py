"""What the provider on loopback says, in the words of each dialect, whole and in pieces."""

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
WORDS = ("Hello", ", ", "world", ".")
AS_JSON = ('{"greet', 'ing": "Hel', 'lo"}')
"""What it says where JSON is wanted."""
INPUT_TOKENS = 5
_ARGUMENTS = ('{"city": ', '"Oslo"}')
_AT = "2026-01-05T09:00:00Z"


@dataclass(frozen=True, slots=True)
class Said:
    """Attributes: calls: names of tools, all of which are to be used at once."""

    words: tuple[str, ...]
    calls: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def output_tokens(self) -> int:
        return len(self.words) + len(self.calls)


def said_to(asked: Json, words: tuple[str, ...] = WORDS) -> Said:
    """It uses every tool that it is offered, once; what it says else is always the same words."""
    if asked.get("tools") and not _has_results(asked["messages"]):
        names = [each["name"] if "name" in each else each["function"]["name"] for each in asked["tools"]]
        return Said((), tuple(names))
    wants_json = any(asked.get(field) for field in ("response_format", "output_config", "format"))
    return Said(AS_JSON if wants_json else words)


def _has_results(messages: list[Json]) -> bool:
    last = messages[-1]
    blocks = last["content"] if isinstance(last["content"], list) else []
    return last["role"] == "tool" or any(each.get("type") == "tool_result" for each in blocks)


def _events(events: list[Json], *, named: bool = False) -> list[bytes]:
    return [(f"event: {each['type']}\n" if named else "").encode() + _data(each) for each in events]


def _data(event: Json) -> bytes:
    return b"data: %b\n\n" % json.dumps(event).encode()


def _line(line: Json) -> bytes:
    return json.dumps(line).encode() + b"\n"


# OpenAI.


def openai_answer(model: str, said: Said) -> Json:
    message: Json = {"role": "assistant", "content": said.text or None}
    if said.calls:
        message["tool_calls"] = [
            {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": "".join(_ARGUMENTS)}}
            for name in said.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": _openai_finish(said)}
    return {**_openai_base(model), "object": "chat.completion", "choices": [choice], "usage": _openai_usage(said)}


def openai_pieces(model: str, said: Said, *, with_usage: bool) -> list[bytes]:
    """The arguments of several calls come in turns."""
    deltas: list[Json] = [{"role": "assistant", "content": "" if said.words else None}]
    deltas += [{"content": word} for word in said.words]
    for index, name in enumerate(said.calls):
        begun = {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [{"index": index, **begun}]})
    for piece in _ARGUMENTS if said.calls else ():
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for index, _ in enumerate(said.calls)
        ]
    choices: list[list[Json]] = [[{"index": 0, "delta": each, "finish_reason": None}] for each in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": _openai_finish(said)}])
    base = {**_openai_base(model), "object": "chat.completion.chunk"}
    chunks: list[Json] = [{**base, "choices": each} for each in choices]
    if with_usage:
        chunks = [{**each, "usage": None} for each in chunks]
        chunks.append({**base, "choices": [], "usage": _openai_usage(said)})
    return [*_events(chunks), b"data: [DONE]\n\n"]


def _openai_base(model: str) -> Json:
    return {"id": "chatcmpl-1", "created": 1, "model": model}


def _openai_finish(said: Said) -> str:
    return "tool_calls" if said.calls else "stop"


def _openai_usage(said: Said) -> Json:
    output = said.output_tokens
    return {"prompt_tokens": INPUT_TOKENS, "completion_tokens": output, "total_tokens": INPUT_TOKENS + output}


# Anthropic.


def anthropic_answer(model: str, said: Said) -> Json:
    content: list[Json] = [{"type": "text", "text": said.text}] if said.words else []
    content += [
        {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": json.loads("".join(_ARGUMENTS))}
        for name in said.calls
    ]
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": said.output_tokens}
    return {**_anthropic_base(model), "content": content, "stop_reason": _anthropic_stop(said), "usage": usage}


def anthropic_pieces(model: str, said: Said) -> list[bytes]:
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
    started = {**_anthropic_base(model), "content": [], "stop_reason": None, "usage": usage}
    blocks: list[tuple[Json, list[Json]]] = []
    if said.words:
        deltas: list[Json] = [{"type": "text_delta", "text": word} for word in said.words]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for name in said.calls:
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _ARGUMENTS]
        blocks.append(({"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": {}}, deltas))
    events: list[Json] = [{"type": "message_start", "message": started}]
    for index, (block, deltas) in enumerate(blocks):
        events += [{"type": "content_block_start", "index": index, "content_block": block}, {"type": "ping"}]
        events += [{"type": "content_block_delta", "index": index, "delta": each} for each in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ended = {"delta": {"stop_reason": _anthropic_stop(said)}, "usage": {"output_tokens": said.output_tokens}}
    events += [{"type": "message_delta", **ended}, {"type": "message_stop"}]
    return _events(events, named=True)


def _anthropic_base(model: str) -> Json:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model}


def _anthropic_stop(said: Said) -> str:
    return "tool_use" if said.calls else "end_turn"


# Ollama.


def ollama_answer(model: str, said: Said, *, generate: bool = False) -> Json:
    words = {"response": said.text} if generate else {"message": _ollama_message(said.text, said.calls)}
    return {"model": model, "created_at": _AT, **words, **_ollama_counts(said)}


def ollama_pieces(model: str, said: Said, *, generate: bool = False) -> list[bytes]:
    """Calls come whole, on a line before the last one."""
    base = {"model": model, "created_at": _AT, "done": False}

    def worded(word: str) -> Json:
        return {"response": word} if generate else {"message": _ollama_message(word)}

    lines: list[Json] = [{**base, **worded(word)} for word in said.words]
    lines += [{**base, "message": _ollama_message("", (name,))} for name in said.calls]
    lines.append({**base, **worded(""), **_ollama_counts(said)})
    return [_line(each) for each in lines]


def _ollama_message(text: str, calls: tuple[str, ...] = ()) -> Json:
    message: Json = {"role": "assistant", "content": text}
    if calls:
        arguments = json.loads("".join(_ARGUMENTS))
        message["tool_calls"] = [{"function": {"name": name, "arguments": arguments}} for name in calls]
    return message


def _ollama_counts(said: Said) -> Json:
    counts = {"prompt_eval_count": INPUT_TOKENS, "eval_count": said.output_tokens}
    return {"done": True, "done_reason": "stop", **counts}
