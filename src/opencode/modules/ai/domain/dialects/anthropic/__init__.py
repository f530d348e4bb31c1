"""Anthropic's messages: `/v1/messages`, as its documentation of 2023-06-01 with later additions has it."""
