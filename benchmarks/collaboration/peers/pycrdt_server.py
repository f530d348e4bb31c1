"""pycrdt-websocket on uvicorn, as its documentation shows it. Arguments: host, port."""

import asyncio
import sys

import uvicorn
from pycrdt.websocket import ASGIServer, WebsocketServer


async def serve(host: str, port: int) -> None:
    rooms = WebsocketServer()
    application = ASGIServer(rooms)
    configuration = uvicorn.Config(
        application, host=host, port=port, log_level="warning", loop="uvloop", timeout_graceful_shutdown=1
    )
    async with rooms:
        await uvicorn.Server(configuration).serve()


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2])))
