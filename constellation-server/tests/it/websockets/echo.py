"""Talks to an echo behind a websocket, as a client that shares no code with the server.

Usage: echo.py URL. Prints a line for each thing that came out as it should, and fails at the first
that did not.
"""

import asyncio
import os
import sys

import websockets

PATIENCE = 30


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE)


def connect(url, **options):
    return websockets.connect(url, max_size=None, open_timeout=PATIENCE, **options)


async def messages(url):
    async with connect(url) as socket:
        await socket.send("h\u00e9llo")
        assert await soon(socket.recv()) == "h\u00e9llo"
        print("text")
        for size in [0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20]:
            message = os.urandom(size)
            await socket.send(message)
            assert await soon(socket.recv()) == message, size
        print("binary of 0 bytes to 16 MiB")


async def fragments(url):
    async def parts(of):
        for part in of:
            yield part

    async with connect(url) as socket:
        for whole in (["a", "bb", "", "ccc"], [b"\x00", b"\xff" * 70000, b"\x01"]):
            await socket.send(parts(whole))
            received = await soon(socket.recv())
            assert received == whole[0][:0].join(whole)
        print("fragments")


async def pings(url):
    async with connect(url, ping_interval=None) as socket:
        for payload in (b"", b"x", b"y" * 125):
            await soon(await socket.ping(payload))
        print("pings")


async def closing(url):
    for code, reason in ((1000, ""), (1001, "away"), (4321, "\u00e9" * 60)):
        socket = await connect(url)
        await soon(socket.close(code, reason))
        assert (socket.close_code, socket.close_reason) == (code, reason)
    print("close codes of the client")


async def many(url):
    async def one(number):
        async with connect(url) as socket:
            for turn in range(20):
                message = f"{number} {turn}"
                await socket.send(message)
                assert await soon(socket.recv()) == message

    await asyncio.gather(*(one(number) for number in range(50)))
    print("many at once")


async def main(url):
    for part in (messages, fragments, pings, closing, many):
        await part(url)


asyncio.run(main(sys.argv[1]))
