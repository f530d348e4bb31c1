"""
The least that a server for shared text can do: answer the handshake, keep each update, pass it to the others.

It checks nothing, stores nothing on disk and knows nobody, so what it costs is the price of sockets and of Python.
Arguments: host, port.
"""

import asyncio
import sys
from collections import defaultdict

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,  # pyright: ignore[reportUnknownVariableType]
)

STEP_1, STEP_2, UPDATE = b"\x00\x00", b"\x00\x01", b"\x00\x02"
STEP_2_OF_NOTHING = b"\x00\x01\x02\x00\x00"


class Room:
    def __init__(self) -> None:
        self.sockets: set[WSTransport] = set()
        self.log: list[bytes] = []


ROOMS: defaultdict[bytes, Room] = defaultdict(Room)


class Socket(WSListener):
    def __init__(self, room: Room) -> None:
        self.room = room

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.room.sockets.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.room.sockets.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            return
        message = frame.get_payload_as_bytes()
        if message.startswith(UPDATE):
            self.room.log.append(message)
            for socket in self.room.sockets:
                if socket is not transport:
                    socket.send(WSMsgType.BINARY, message)
        elif message.startswith(STEP_1):
            transport.send(WSMsgType.BINARY, STEP_2_OF_NOTHING)
            for earlier in self.room.log:
                transport.send(WSMsgType.BINARY, earlier)


async def serve(host: str, port: int) -> None:
    def route(request: WSUpgradeRequest) -> WSListener:
        return Socket(ROOMS[request.path])

    server = await ws_create_server(route, host, port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2])))
