"""How long the body of a request may take to arrive."""

import asyncio

from litestar.exceptions import HTTPException
from litestar.types import HTTPReceiveMessage, Receive, WebSocketReceiveMessage

LEAST_BYTES_PER_S = 32 * 1024
"""A body that comes at this rate may take as long as it needs."""


def patient(receive: Receive, body_timeout_s: float) -> Receive:
    """
    Pass messages on, but wait for a body only so long, however many pieces it comes in: what has come buys a little
    time for the rest, so that a large file arrives and a drip does not.
    """
    deadline = asyncio.get_running_loop().time() + body_timeout_s
    body_done = False

    async def receive_in_time() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        nonlocal body_done, deadline
        if body_done:
            return await receive()  # waiting for the client to go away is no hurry
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(status_code=408, headers={"connection": "close"}) from None
        body_done = message["type"] != "http.request" or not message.get("more_body", False)
        if message["type"] == "http.request":
            deadline += len(message["body"]) / LEAST_BYTES_PER_S
        return message

    return receive_in_time
