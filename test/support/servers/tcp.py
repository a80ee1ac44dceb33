"""A TCP server that answers each 5 bytes with 1000, until its client closes. Prints its port.

Usage: tcp.py HOST [SECONDS]: it accepts nothing for so long after each connection that it has accepted.
"""
import select
import socket
import sys
import time

host = sys.argv[1]
pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0
family = socket.AF_INET6 if ":" in host else socket.AF_INET
listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, 0))
listener.listen(4096)
print(listener.getsockname()[1], flush=True)
poll = select.epoll()
poll.register(listener, select.EPOLLIN)
clients = {}
while True:
    for descriptor, _ in poll.poll():
        if descriptor == listener.fileno():
            client, _ = listener.accept()
            clients[client.fileno()] = client
            poll.register(client, select.EPOLLIN)
            time.sleep(pause)
            continue
        client = clients[descriptor]
        try:
            request = client.recv(5)
            if request:
                client.sendall(b"x" * 1000)
                continue
        except ConnectionError:
            pass
        poll.unregister(client)
        del clients[descriptor]
        client.close()
