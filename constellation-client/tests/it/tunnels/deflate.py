"""The two ends of a websocket that compresses, which share no code with what lies between them.

Usage: deflate.py server, which prints its port and echoes; deflate.py client URL, which prints a
line for each thing that came out as it should, and fails at the first that did not.
"""

import asyncio
import sys

import websockets
from websockets.extensions.permessage_deflate import PerMessageDeflate

PATIENCE = 30


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE)


async def echo(socket):
    async for message in socket:
        if message == "close":
            await socket.close(4000, "as you wish")
            return
        await socket.send(message)


async def server():
    serving = websockets.serve(echo, "127.0.0.1", 0, subprotocols=["chat"], max_size=None)
    async with serving as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def client(url):
    protocols = ["chess", "chat"]
    async with websockets.connect(url, subprotocols=protocols, max_size=None) as socket:
        assert socket.subprotocol == "chat", socket.subprotocol
        assert any(isinstance(one, PerMessageDeflate) for one in socket.extensions)
        print("compressed")
        for message in ("a" * 1_000_000, "", b"\x00" * 300, "\u00e9" * 40_000):
            await socket.send(message)
            assert await soon(socket.recv()) == message
            await soon(await socket.ping())
        print("echoed")
        await socket.send("close")
        try:
            await soon(socket.recv())
        except websockets.ConnectionClosed:
            pass
        assert (socket.close_code, socket.close_reason) == (4000, "as you wish")
        print("closed by the server")


asyncio.run(server() if sys.argv[1] == "server" else client(sys.argv[2]))
