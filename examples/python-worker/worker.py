#!/usr/bin/env python3
"""A worker of the JSON dialect (docs/protocol.md). Usage: worker.py ws://localhost:8001 [token]"""
import asyncio, base64, json, sys, uuid
import websockets  # Debian: python3-websockets

GUID = str(uuid.uuid4())
# Version 14 of the package gave the argument for headers another name.
HEADERS = ("additional" if int(websockets.__version__.split(".")[0]) >= 14 else "extra") + "_headers"


def answer(request):
    body = base64.b64decode(request.get("Data", "")).decode(errors="replace")
    said = json.dumps({"guid": GUID, "request": request["GUID"], "method": request["Method"],
                       "path": request["Url"]["Path"], "body": body})
    return {"GUID": request["GUID"], "Type": "Response", "StatusCode": 200,
            "ContentType": "application/json", "Data": base64.b64encode(said.encode()).decode()}


async def serve(url, headers):
    async with websockets.connect(url, max_size=None, **{HEADERS: headers}) as socket:
        print("connected as", GUID, flush=True)
        async for message in socket:
            received = json.loads(message)
            if received["Type"] == "Heartbeat":
                await socket.send(message)
            elif received["Type"] == "Request":
                await socket.send(json.dumps(answer(received)))


async def run(url, token=None):
    headers = {"x-guid": GUID, **({"Authorization": "Bearer " + token} if token else {})}
    while True:
        try:
            await serve(url, headers)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            print("not connected:", error, flush=True)
        await asyncio.sleep(1)

asyncio.run(run(*sys.argv[1:]))
