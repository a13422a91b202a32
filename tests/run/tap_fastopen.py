"""TCP Fast Open between weir and the kernel over a TAP device, by unmodified programs: the second
connection of a client has its request in the SYN, whoever of the two it is."""
import sys

import lan
import rig
import tap

ON = "/proc/sys/net/ipv4/tcp_fastopen"
SERVE = """
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.IPPROTO_TCP, 23, 8)
s.bind(('0.0.0.0', 8000)); s.listen(8)
print('ready', flush=True)
while True:
    c, _ = s.accept()
    got = c.recv(1000)
    c.sendall(b'HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello' if got else b'')
    c.close()
"""
ASK = """
import socket, sys
for i in range(2):
    s = socket.socket()
    s.sendto(b'GET / HTTP/1.0\\r\\n\\r\\n', 0x20000000, (sys.argv[1], 8000))
    print(s.recv(1000)[-5:].decode(), flush=True)
    s.close()
"""


class FastOpen(lan.Case):
    def setUp(self):
        super().setUp()
        with open(ON, "w", encoding="ascii") as knob:
            knob.write("3")

    @staticmethod
    def count(name):
        with open("/proc/net/netstat", encoding="ascii") as stream:
            names, values = [line.split() for line in stream if line.startswith("TcpExt:")]
        return int(dict(zip(names, values))[name])

    @rig.need("curl")
    def test_curl_on_weir(self):
        before = self.count("TCPFastOpenPassive")
        server = self.kernel(sys.executable, "-c", SERVE)
        server.wait_for("^ready$")
        client = self.tap("sh", "-c", f"for i in 1 2; do curl -sS --tcp-fastopen http://{lan.KERNEL}:8000/; done",
                          options=("--set", "net.ipv4.tcp_fastopen=1"))
        self.assertEqual((client.exit(30), client.out), (0, "hellohello"), client.err)
        self.assertEqual(self.count("TCPFastOpenPassive"), before + 1)

    def test_sendto_on_weir(self):
        before = self.count("TCPFastOpenPassive")
        server = self.kernel(sys.executable, "-c", SERVE)
        server.wait_for("^ready$")
        client = self.tap(sys.executable, "-c", ASK, lan.KERNEL, options=("--set", "net.ipv4.tcp_fastopen=1"))
        self.assertEqual((client.exit(30), client.out), (0, "hello\nhello\n"), client.err)
        self.assertEqual(self.count("TCPFastOpenPassive"), before + 1)

    def test_the_kernel_asks(self):
        before = self.count("TCPFastOpenActive")
        server = self.tap(sys.executable, "-c", SERVE, options=("--set", "net.ipv4.tcp_fastopen=2"))
        server.wait_for("^ready$")
        self.stands(server)
        client = self.kernel(sys.executable, "-c", ASK, lan.WEIR)
        self.assertEqual((client.exit(30), client.out), (0, "hello\nhello\n"), client.err)
        self.assertEqual(self.count("TCPFastOpenActive"), before + 1)


if __name__ == "__main__":
    lan.enter()
    tap.main()
