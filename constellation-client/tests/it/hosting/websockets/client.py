"""Speaks to an echo, as a client that was written by others; says when everything came back."""

import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url, subprotocols=["other", "echo"], max_size=None) as socket:
        assert socket.subprotocol == "echo", socket.subprotocol
        for message in ["hello", "", "\N{SNOWMAN}" * 1000, b"", b"\x00\xff" * 20_000]:
            await socket.send(message)
            assert await socket.recv() == message
        for size in [1, 125, 126, 65_535, 65_536, 1 << 20]:
            await socket.send(bytes(size))
            assert await socket.recv() == bytes(size), size
        await socket.send(["in ", "three ", "parts"])
        assert await socket.recv() == "in three parts"
        await (await socket.ping(b"ping"))
        # A hundred at once, without waiting for any.
        await asyncio.gather(*(socket.send(str(number)) for number in range(100)))
        assert [await socket.recv() for _ in range(100)] == [str(number) for number in range(100)]
    assert socket.close_code == 1000, socket.close_code

    async with websockets.connect(url) as socket:
        await socket.send("close")
        try:
            await socket.recv()
            raise AssertionError("it did not close")
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 4002 and closed.rcvd.reason == "as asked", closed

    sockets = await asyncio.gather(*(websockets.connect(url) for _ in range(20)))
    for number, socket in enumerate(sockets):
        await socket.send(f"socket {number}")
    for number, socket in enumerate(sockets):
        assert await socket.recv() == f"socket {number}"
    await asyncio.gather(*(socket.close() for socket in sockets))
    print("all is well")


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 60))
