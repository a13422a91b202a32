"""Servers on the kernel's stack that a program under `weir run` talks to, as threads.

echo: sends back what comes; after the end of the stream it ends too.   hello: greets, then listens.
reset: after one byte, a RST.   closed: a port where nobody listens.   full: a listener whose queue
is full, so that a SYN is never answered.   datagrams: a UDP echo.

A Peers made with `watched` has more servers, NAME for each of them, which serve one connection as
echo or hello do; who connects to NAME-ended reads how that one ended.
"""
import queue
import socket
import struct
import threading

PATIENCE = 20


class Peers:
    def __init__(self, watched=None):
        """watched: {name: "echo" or "hello"}"""
        self.ended = queue.Queue()  # how each connection to echo, hello and reset ended
        self.kept = []
        self.ports = {}
        for name in ("echo", "hello", "reset"):
            door = self._keep(socket.create_server(("127.0.0.1", 0)))
            self.ports[name] = door.getsockname()[1]
            threading.Thread(target=self._serve, args=(door, getattr(self, "_" + name)), daemon=True).start()
        for name, like in (watched or {}).items():
            self._open_watched(name, getattr(self, "_" + like))
        self._open_closed()
        self._open_full()
        self._open_datagrams()

    def environment(self):
        return {"PORTS": " ".join(f"{name}={port}" for name, port in self.ports.items())}

    def how_it_ended(self):
        return self.ended.get(timeout=PATIENCE)

    def close(self):
        for kept in self.kept:
            try:
                kept.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            kept.close()

    def _keep(self, made):
        self.kept.append(made)
        return made

    def _open_watched(self, name, handle):
        ended = queue.Queue()
        doors = [self._keep(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]

        def serve():
            try:
                self._one(doors[0].accept()[0], handle, ended)
                connection, _ = doors[1].accept()
            except OSError:  # nobody called, and all ends
                return
            connection.sendall(ended.get().encode())
            connection.close()

        self.ports[name], self.ports[name + "-ended"] = (door.getsockname()[1] for door in doors)
        threading.Thread(target=serve, daemon=True).start()

    def _open_closed(self):
        """Bound for both protocols, so that nobody else takes it, and listening for none."""
        while True:
            held = socket.socket()
            held.bind(("127.0.0.1", 0))
            self.ports["closed"] = held.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", self.ports["closed"]))
                except OSError:
                    held.close()
                    continue
            self._keep(held)
            return

    def _open_full(self):
        door = self._keep(socket.create_server(("127.0.0.1", 0), backlog=0))
        self.ports["full"] = door.getsockname()[1]
        self._keep(socket.create_connection(door.getsockname()))
        for _ in range(2):
            caller = self._keep(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(door.getsockname())

    def _open_datagrams(self):
        made = self._keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.bind(("127.0.0.1", 0))
        self.ports["datagrams"] = made.getsockname()[1]
        threading.Thread(target=self._echo_datagrams, args=(made,), daemon=True).start()

    def _serve(self, door, handle):
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection, handle, self.ended), daemon=True).start()

    def _one(self, connection, handle, ended):
        connection.settimeout(PATIENCE)
        count = 0
        try:
            with connection:
                for data in handle(connection):
                    count += len(data)
            ended.put(f"end after {count} bytes")
        except OSError as error:
            ended.put(f"{error.strerror or error} after {count} bytes")

    def _echo(self, connection):
        while data := connection.recv(1 << 16):
            connection.sendall(data)
            yield data

    def _hello(self, connection):
        connection.sendall(b"hello")
        while data := connection.recv(1 << 16):
            yield data

    def _reset(self, connection):
        yield connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _echo_datagrams(self, made):
        while True:
            try:
                data, peer = made.recvfrom(1 << 16)
                if peer:
                    made.sendto(data, peer)
                else:
                    return
            except OSError:
                return
