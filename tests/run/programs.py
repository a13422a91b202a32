"""Other programs under `weir run`: python's servers and clients, iperf3 both ways, nc with half-close."""
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading

import rig
import tap
import web

ECHO = """
import asyncio, sys
async def serve(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
CLIENT = """
import asyncio, hashlib, os, sys
async def one(port):
    data = os.urandom(200000)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()
    task = asyncio.create_task(send())
    got = await reader.read(-1)
    await task
    writer.close()
    return got == data
async def main():
    print(await asyncio.gather(*[one(int(sys.argv[1])) for _ in range(10)]))
asyncio.run(main())
"""
DATAGRAMS = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1], flush=True)
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(peer[0].encode() + b" " + str(peer[1]).encode() + b" " + data, peer)
"""


class Python(rig.Case):
    def port_of(self, program):
        return int(program.wait_for(r"port (\d+)")[1])

    def test_asyncio_echo_server(self):
        port = self.port_of(self.python(ECHO))
        data = random.Random(3).randbytes(1_000_000)
        with rig.connect(port) as client:
            thread = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            thread.start()
            self.assertTrue(rig.read_all(client) == data)
            thread.join()

    def test_asyncio_client_and_server_on_two_stacks(self):
        port = self.port_of(self.python(ECHO, options=["--net", "delay 1ms"]))
        client = self.python(CLIENT, str(port), options=["--net", "loss 0.5%", "--seed", "1"])
        self.end_well(client)
        self.assertEqual(client.out, str([True] * 10) + "\n")

    def test_http_server(self):
        data = random.Random(4).randbytes(500_000)
        with open(self.path("file"), "wb") as stream:
            stream.write(data)
        server = self.weir(sys.executable, "-u", "-m", "http.server", "-b", "127.0.0.1", "0", cwd=self.folder)
        port = int(server.wait_for(r"port (\d+)")[1])
        for _ in range(5):
            with rig.connect(port) as client:
                client.sendall(b"GET /file HTTP/1.0\r\n\r\n")
                self.assertTrue(rig.read_all(client).endswith(data))
        server.signal(signal.SIGINT)
        self.end_well(server)

    def test_urllib(self):
        data = random.Random(5).randbytes(300_000)
        server = web.Server(data)
        self.addCleanup(server.close)
        client = self.python("import hashlib,sys,urllib.request as u;"
                             "print(hashlib.sha256(u.urlopen(sys.argv[1]).read()).hexdigest())", server.url(),
                             env={"no_proxy": "*"})
        self.end_well(client)
        self.assertEqual(client.out.strip(), hashlib.sha256(data).hexdigest())

    def test_datagram_server(self):
        port = self.port_of(self.python(DATAGRAMS))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(rig.PATIENCE)
            client.connect(("127.0.0.1", port))
            for size in (0, 1, 1300):
                client.send(b"x" * size)
                host, own = client.getsockname()
                self.assertEqual(client.recv(9000), f"{host} {own} ".encode() + b"x" * size)

    def test_a_forking_server(self):
        server = self.python("import socketserver as s\n"
                             "class H(s.StreamRequestHandler):\n"
                             "    def handle(self):\n"
                             "        self.wfile.write(self.rfile.readline().upper())\n"
                             "with s.ForkingTCPServer(('127.0.0.1', 0), H) as t:\n"
                             "    print('port', t.server_address[1], flush=True)\n"
                             "    t.serve_forever()")
        port = self.port_of(server)
        for _ in range(10):
            with rig.connect(port) as client:
                client.sendall(b"abc\n")
                self.assertEqual(rig.read_all(client), b"ABC\n")


@rig.need("iperf3")
class Iperf(rig.Case):
    def transfer(self, start_server, start_client, *words):
        port = str(rig.free_port())
        server = start_server("iperf3", "-s", "-1", "--forceflush", "-B", "127.0.0.1", "-p", port)
        server.wait_for("Server listening")
        client = start_client("iperf3", "-c", "127.0.0.1", "-p", port, "-n", "20M", "-J", *words)
        self.assertEqual(client.exit(), 0, client.out + client.err)
        self.assertEqual(server.exit(), 0, server.out + server.err)
        end = json.loads(client.out)["end"]
        self.assertGreaterEqual(end["sum_sent"]["bytes"], 20 << 20)
        # What is in flight when the other connection says that it is over is not counted.
        self.assertGreater(end["sum_received"]["bytes"], 0)
        self.assertLessEqual(end["sum_received"]["bytes"], end["sum_sent"]["bytes"])

    def test_client_sends(self):
        self.transfer(self.start, self.weir)

    def test_client_receives(self):
        self.transfer(self.start, self.weir, "-R")

    def test_server(self):
        self.transfer(self.weir, self.start)

    def test_server_sends(self):
        self.transfer(self.weir, self.start, "-R", "-P", "2")


@rig.need("nc")
class Nc(rig.Case):
    def test_half_close(self):
        """nc -N sends its FIN at the end of stdin and still hears the answer."""
        listener = rig.listen()
        self.addCleanup(listener.close)
        client = self.weir("nc", "-N", "127.0.0.1", str(listener.getsockname()[1]), stdin=subprocess.PIPE)
        client.child.stdin.write(b"question")
        client.child.stdin.close()
        connection, _ = listener.accept()
        self.assertEqual(rig.read_all(connection), b"question")
        connection.sendall(b"answer")
        connection.close()
        self.end_well(client)
        self.assertEqual(client.out, "answer")

    def test_listening(self):
        port = rig.free_port()
        server = self.weir("nc", "-l", "-N", "127.0.0.1", str(port), stdin=subprocess.PIPE)
        data = os.urandom(300_000)
        server.child.stdin.write(b"greetings")
        server.child.stdin.close()
        with rig.connect(port) as client:
            self.assertEqual(rig.read_all(client), b"greetings")
            client.sendall(data)
        self.end_well(server)
        self.assertTrue(server.bytes["out"] == data)

    def test_datagrams(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.settimeout(rig.PATIENCE)
            server.bind(("127.0.0.1", 0))
            client = self.weir("nc", "-u", "127.0.0.1", str(server.getsockname()[1]), stdin=subprocess.PIPE)
            client.child.stdin.write(b"ping")
            client.child.stdin.flush()
            data, peer = server.recvfrom(100)
            server.sendto(data + b"-pong", peer)
            client.wait_for("ping-pong")

    def test_scan(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        self.end_well(self.weir("nc", "-z", "127.0.0.1", str(listener.getsockname()[1])), 0)


if __name__ == "__main__":
    tap.main()
