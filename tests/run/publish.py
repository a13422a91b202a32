"""-p: what the program serves on one port is reached at another of the host."""
import os
import signal
import socket
import subprocess
import sys

import lan
import rig
import tap

UDP_ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 53))
print("ready", flush=True)
data, who = s.recvfrom(2000)
s.sendto(data[::-1], who)
"""
TWO = """
import socket
a, b = socket.create_server(("0.0.0.0", 80)), socket.create_server(("0.0.0.0", 81))
print("ready", flush=True)
for s, text in ((a, b"first"), (b, b"second")):
    c = s.accept()[0]
    c.sendall(text)
    c.close()
"""


class Publish(rig.Case):
    def test_a_web_server(self):
        port, file = rig.free_port(), lan.make_file(self.path("file"), 1_000_000)
        server = self.weir(sys.executable, os.path.join(rig.SUPPORT, "web_program.py"), "0.0.0.0", 80, file,
                           options=("-p", f"{port}:80"))
        server.wait_for("^ready$")
        answer = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{port}/"], check=True,
                                stdout=subprocess.PIPE, timeout=60).stdout
        with open(file, "rb") as stream:
            self.assertTrue(answer == stream.read(), "the bytes differ")
        server.signal(signal.SIGTERM)
        self.end_well(server, 128 + signal.SIGTERM)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), rig.PATIENCE)

    def test_two_ports_and_an_address(self):
        first, second = rig.free_port(), rig.free_port()
        server = self.python(TWO, options=("-p", f"127.0.0.2:{first}:80", "-p", f"{second}:81"))
        server.wait_for("^ready$")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", first), rig.PATIENCE)
        self.assertEqual(rig.read_all(rig.connect(first, "127.0.0.2")), b"first")
        self.assertEqual(rig.read_all(rig.connect(second)), b"second")
        self.end_well(server)

    def test_datagrams(self):
        port = rig.free_port(socket.SOCK_DGRAM)
        server = self.python(UDP_ECHO, options=("-p", f"{port}:53"))
        server.wait_for("^ready$")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(rig.PATIENCE)
            client.sendto(b"abc", ("127.0.0.1", port))
            self.assertEqual(client.recv(2000), b"cba")
        self.end_well(server)

    def test_a_port_that_the_host_has_already(self):
        taken = rig.listen()
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        server = self.python("import socket\nsocket.create_server(('127.0.0.1', 80))",
                             options=("-p", f"127.0.0.1:{port}:80"))
        self.assertEqual(server.exit(), 1)
        self.assertIn(f"weir: -p: the host refuses 127.0.0.1:{port}: Address already in use; choose "
                      "another port\n", server.err)
        self.assertIn("Errno 98", server.err)


if __name__ == "__main__":
    tap.main()
