"""
What clients and providers of language models say to each other, in the dialects they say it in.

`canonical` is what can be said at all; each dialect reads it from bytes and writes it to bytes: `openai_chat`,
`openai_responses`, `anthropic`, `ollama`, and `embeddings` of two of them. Where both sides speak the same dialect
nothing is translated: `envelope` reads and changes the few fields a gateway needs, `watching` looks at bytes that pass.

Nothing here does I/O, knows the time or makes up chance: ids and times come in as arguments.
"""
