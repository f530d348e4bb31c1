"""
OpenAI's responses: `/v1/responses`, for clients.

What needs a memory at the provider is refused: earlier responses, conversations, stored prompts and files, work in the
background.
"""
