"""Streams and odd answers through a controller, as http.client and requests see them.

Usage: streams.py PORT. The worker behind the controller is the echo worker. Prints a line for each
check; the first that fails ends the run with a traceback.
"""

import http.client
import sys
import time

import requests

PORT = int(sys.argv[1])
URL = f"http://127.0.0.1:{PORT}"
PATIENCE = 30


def connect():
    return http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE)


def an_event_comes_although_the_next_is_far_away():
    with requests.get(f"{URL}/e?events=2&every-ms=600000", stream=True, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert next(answer.iter_lines(chunk_size=1)) == b"id: 0"


def events_come_in_order_and_soon():
    connection = connect()
    connection.request("GET", "/e?events=100&every-ms=10")
    answer = connection.getresponse()
    delays = []
    for number in range(100):
        assert answer.readline() == b"id: %d\n" % number
        written = int(answer.readline().removeprefix(b"data: "))
        delays.append(time.monotonic_ns() / 1000 - written)
        assert answer.readline() == b"\n"
    assert answer.read() == b""
    delays.sort()
    # Milliseconds where the machine has time; what is buffered would wait for its successors.
    print(f"  delay of an event: median {delays[50]:.0f} us, longest {delays[-1]:.0f} us")


def a_long_poll_waits():
    answer = requests.get(f"{URL}/p?sleep-ms=300", timeout=PATIENCE)
    assert answer.status_code == 200 and answer.json()["query"] == "sleep-ms=300"


def a_chunk_is_delivered_before_the_next_is_sent():
    connection = connect()
    connection.putrequest("POST", "/u?echo")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    # The answer says that the connection ends with it, so http.client gives its socket away.
    socket = connection.sock.dup()
    socket.sendall(b"5\r\nfirst\r\n")
    answer = connection.getresponse()
    assert answer.read(5) == b"first"
    socket.sendall(b"6\r\nsecond\r\n")
    assert answer.read(6) == b"second"
    socket.sendall(b"0\r\n\r\n")
    assert answer.read() == b""


def a_generator_is_uploaded():
    pieces = (b"x" * 1000 for _ in range(100))
    answer = requests.post(f"{URL}/u", data=pieces, timeout=PATIENCE)
    assert answer.json()["body_bytes"] == 100_000


def a_head_request_has_the_length_alone():
    with requests.Session() as session:
        head = session.head(f"{URL}/b?bytes=1000", timeout=PATIENCE)
        assert (head.headers["content-length"], head.content) == ("1000", b"")
        assert len(session.get(f"{URL}/b?bytes=1000", timeout=PATIENCE).content) == 1000


def a_part_is_a_part():
    answer = requests.get(f"{URL}/b?bytes=1000", headers={"range": "bytes=10-19"}, timeout=PATIENCE)
    assert answer.status_code == 206 and len(answer.content) == 10
    assert answer.headers["content-range"] == "bytes 10-19/1000"


def answers_without_a_body_leave_the_connection_usable():
    connection = connect()
    for status in (204, 304, 200, 204, 404, 304, 200):
        connection.request("GET", f"/s?status={status}")
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == status
        assert (body == b"") == (status in (204, 304))
        if status == 204:
            assert answer.getheader("content-length") is None
            assert answer.getheader("transfer-encoding") is None


def several_cookies_stay_several():
    connection = connect()
    connection.request("GET", "/c?cookies=3")
    answer = connection.getresponse()
    assert len(answer.headers.get_all("set-cookie")) == 3
    session = requests.Session()
    session.get(f"{URL}/c?cookies=3", timeout=PATIENCE)
    assert len(session.cookies) == 3


def large_headers_pass():
    large = {"x-large": "a" * 50_000}
    answer = requests.get(f"{URL}/h?header-bytes=60000", headers=large, timeout=PATIENCE)
    assert answer.status_code == 200 and len(answer.headers["x-large"]) == 60_000


def a_connection_is_kept():
    connection = connect()
    connection.connect()
    address = connection.sock.getsockname()
    for number in range(200):
        method = ("GET", "POST", "HEAD", "PUT")[number % 4]
        connection.request(method, f"/k/{number}", body=b"x" * (number % 3) or None)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        assert connection.sock.getsockname() == address


for check in (
    an_event_comes_although_the_next_is_far_away,
    events_come_in_order_and_soon,
    a_long_poll_waits,
    a_chunk_is_delivered_before_the_next_is_sent,
    a_generator_is_uploaded,
    a_head_request_has_the_length_alone,
    a_part_is_a_part,
    answers_without_a_body_leave_the_connection_usable,
    several_cookies_stay_several,
    large_headers_pass,
    a_connection_is_kept,
):
    check()
    print(f"ok {check.__name__}", flush=True)
print("all passed")
