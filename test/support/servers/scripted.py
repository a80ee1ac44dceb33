"""Answers each line of a plain TCP connection with bytes as they are; and reads and writes in unusual ways. Prints its port."""
import os
import socket
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def serve(connection):
    with connection:
        while True:
            request = connection.recv(4096)
            if not request:
                return
            if b"/peek" in request:
                connection.sendall(OK)
                connection.recv(4096, socket.MSG_PEEK)
                connection.recv(4096)
                connection.sendall(OK)
            elif b"/readv" in request:
                connection.sendmsg([OK[:20], OK[20:]])
                os.readv(connection.fileno(), [bytearray(4096)])
                os.writev(connection.fileno(), [OK[:20], OK[20:]])
                connection.recvmsg(4096)
                os.write(connection.fileno(), OK)
            elif b"/one-by-one" in request:
                connection.sendall(OK)
                data = b""
                while not data.endswith(b"\r\n\r\n"):
                    data += connection.recv(1)
                connection.sendall(OK)
            elif b"GET key" in request:
                connection.sendall(b"$5\r\nvalue\r\n")
            else:
                connection.sendall(OK)


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
