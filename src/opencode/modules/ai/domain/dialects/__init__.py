"""
What clients and providers of language models say to each other, in the dialects they say it in.

`canonical` is what can be said at all; `openai_chat`, `openai_responses`, `anthropic`, `ollama` and `embeddings` read
it from bytes and write it to bytes; `streaming` is what their streams have in common, `failures` reads what went wrong
in any of them. `envelope` and `watching` are for requests and answers that are handed on without being translated.

Nothing here does I/O, knows the time or makes up chance: ids and times come in as arguments.
"""
