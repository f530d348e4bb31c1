"""Ollama's own API: `/api/chat` and `/api/generate`, as its documentation has it."""
