"""An even HTTP/1.1 load from a client that never sleeps while it waits for an answer.

In:  HOST PORT PATH REQUESTS_PER_SECOND SECONDS
Out: {"requests", "seconds", "p50Seconds", "p99Seconds"} as JSON: from before the send to the first byte of the answer.

A client that sleeps until its answer comes measures its own waking with it (0.04 to 0.1 ms on a virtual machine).
This one asks the kernel again and again instead, so that what it measures is the server.
"""

import json
import socket
import sys
import time

host, port, path, rate, seconds = sys.argv[1:]
rate, seconds = float(rate), float(seconds)
request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
# Each connection rests between an answer and its next request, as users do; and they rest out of step.
rest = 0.002 if rate > 2000 else 0.008 if rate > 500 else 0.04
clock = time.perf_counter


def connect(number, count):
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return {"socket": connection, "next": clock() + rest * number / count, "sent": None, "answer": b""}


def is_whole(answer):
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    return True


count = max(1, round(rate * rest))
connections = [connect(number, count) for number in range(count)]
latencies = []
start = clock()
while clock() - start < seconds or any(connection["sent"] for connection in connections):
    waiting = False
    for connection in connections:
        if connection["sent"] is None:
            if clock() >= connection["next"] and clock() - start < seconds:
                connection["sent"] = clock()
                connection["socket"].send(request)
                waiting = True
            continue
        waiting = True
        try:
            part = connection["socket"].recv(65536)
        except BlockingIOError:
            continue
        if not part:
            sys.exit("the server closed a connection")
        if not connection["answer"]:
            latencies.append(clock() - connection["sent"])
        connection["answer"] += part
        if is_whole(connection["answer"]):
            connection.update(sent=None, answer=b"", next=clock() + rest)
    if not waiting:
        time.sleep(0.0001)

latencies.sort()
print(
    json.dumps(
        {
            "requests": len(latencies),
            "seconds": clock() - start,
            "p50Seconds": latencies[len(latencies) // 2],
            "p99Seconds": latencies[len(latencies) * 99 // 100],
        }
    )
)
