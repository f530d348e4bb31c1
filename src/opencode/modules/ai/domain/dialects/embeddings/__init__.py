"""Texts turned into vectors: OpenAI's `/v1/embeddings`, Ollama's `/api/embed` and its old `/api/embeddings`."""
