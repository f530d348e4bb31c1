"""OpenAI's chat completions: `/v1/chat/completions`, as its OpenAPI description and those who imitate it have it."""
