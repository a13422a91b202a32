"""IPv6 between weir and the kernel over a TAP device: ping, streams and datagrams both ways, in fragments
too, and a router in the kernel whose next link is narrower."""
import hashlib
import os
import subprocess
import sys

import lan
import rig
import tap

KERNEL, WEIR, FAR = "fd00:77::1", "fd00:77::2", "fd00:78::2"
SIZE = 3_000_000
ECHO = os.path.join(rig.SUPPORT, "echo6.py")


def sha256(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def knob(name, value):
    with open("/proc/sys/net/ipv6/" + name, "w", encoding="ascii") as stream:
        stream.write(value)


class Over6(lan.Case):
    """The device is the kernel's, with an address of IPv6."""
    options = ("--ip", "10.77.0.2/24", "--ip", WEIR + "/64", "--gw", KERNEL)

    @classmethod
    def setUpClass(cls):
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        knob("conf/weir0/disable_ipv6", "0")
        lan.ip("addr", "add", "10.77.0.1/24", "dev", "weir0")
        lan.ip("addr", "add", KERNEL + "/64", "dev", "weir0", "nodad")
        lan.ip("link", "set", "weir0", "up")

    @classmethod
    def tearDownClass(cls):
        lan.ip("link", "del", "weir0")

    def setUp(self):
        super().setUp()
        self.file, self.copy = lan.make_file(self.path("file"), SIZE), self.path("copy")

    def on_weir(self, *words):
        return self.tap(*words, options=self.options)

    def fetch(self, start, url):
        client = start("curl", "-6", "-sS", "--max-time", "60", "-o", self.copy, url)
        self.assertEqual(client.exit(70), 0, client.err)
        self.assertEqual(sha256(self.copy), sha256(self.file))
        return client

    def echo(self, server, client, address, *sizes):
        served = server(sys.executable, ECHO, "serve", "::", 7777)
        served.wait_for("^ready$")
        asked = client(sys.executable, ECHO, "ask", address, 7777, *sizes)
        asked.exit(60)
        self.assertEqual(asked.out.split("\n")[:-1], [f"{size} ok" for size in sizes], asked.err)


class Neighbours(Over6):
    def test_the_kernel_pings(self):
        self.idle(self.options)
        for size in (0, 56, 1452, 1453, 4000, 30000):
            answer = subprocess.run([rig.find("ping"), "-6", "-n", "-c", "1", "-W", "5", "-s", str(size), WEIR],
                                    check=False, text=True, stdout=subprocess.PIPE)
            self.assertIn("1 received", answer.stdout, size)

    def test_weir_pings(self):
        self.idle(self.options)
        for size in (56, 1453, 4000):
            answer = subprocess.run([rig.WEIR, "ping", "-6", "-c", "1", "-W", "5", "-s", str(size), KERNEL], check=False,
                                    text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertIn(f"{size + 8} bytes from {KERNEL}: icmp_seq=1 ttl=64", answer.stdout)

    def test_weir_fetches(self):
        self.web(self.kernel, "::", 8000, self.file)
        self.fetch(self.on_weir, f"http://[{KERNEL}]:8000/")

    def test_the_kernel_fetches(self):
        self.web(self.on_weir, "::", 80, self.file)
        self.fetch(self.kernel, f"http://[{WEIR}]/")

    def test_a_dual_stack_server_takes_both(self):
        self.web(self.on_weir, "::", 80, self.file)
        for url in (f"http://[{WEIR}]/", f"http://{lan.WEIR}/"):
            client = self.kernel("curl", "-sS", "--max-time", "60", "-o", self.copy, url)
            self.assertEqual(client.exit(70), 0, client.err)
            self.assertEqual(sha256(self.copy), sha256(self.file))

    def test_datagrams_of_the_kernel(self):
        self.echo(self.on_weir, self.kernel, WEIR, 1, 1452, 1453, 5000, 65000)

    def test_datagrams_of_weir(self):
        self.echo(self.kernel, self.on_weir, KERNEL, 1, 1452, 1453, 5000, 65000)

    def test_a_port_of_nobody(self):
        for start, address in ((self.kernel, WEIR), (self.on_weir, KERNEL)):
            idle = self.idle(self.options) if address == WEIR else None
            asked = start(sys.executable, ECHO, "ask", address, 7778, 10)
            asked.exit(60)
            self.assertEqual(asked.out, "10 ECONNREFUSED\n", asked.err)
            client = start("curl", "-6", "-sS", f"http://[{address}]:7778/")
            self.assertEqual(client.exit(60), 7, client.err)
            if idle:
                idle.end()


class Router(Over6):
    """Behind the kernel, on a link of 1300 bytes, another network namespace."""

    def setUp(self):
        super().setUp()
        self.far = self.start("unshare", "-n", "sh", "-c", "ip link set lo up; echo ready; exec sleep 1000")
        self.far.wait_for("^ready$")
        pid = str(self.far.child.pid)
        lan.ip("link", "add", "near0", "mtu", "1300", "type", "veth", "peer", "name", "far0", "mtu", "1300")
        self.addCleanup(lan.ip, "link", "del", "near0")
        lan.ip("link", "set", "far0", "netns", pid)
        knob("conf/near0/disable_ipv6", "0")
        lan.ip("addr", "add", "fd00:78::1/64", "dev", "near0", "nodad")
        lan.ip("link", "set", "near0", "up")
        knob("conf/all/forwarding", "1")
        self.addCleanup(knob, "conf/all/forwarding", "0")
        for words in ("addr add fd00:78::2/64 dev far0 nodad", "link set far0 up",
                      "-6 route add default via fd00:78::1"):
            subprocess.run(["nsenter", "-t", pid, "-n", rig.find("ip"), *words.split()], check=True)
        self.there = lambda *words: self.start("nsenter", "-t", pid, "-n", *words)

    def test_what_is_sent_fits_the_narrow_link(self):
        self.web(self.there, "::", 8000, self.file)
        client = self.on_weir("curl", "-6", "-sS", "--max-time", "60", "-T", self.file, f"http://[{FAR}]:8000/")
        self.assertEqual(client.exit(70), 0, client.err)
        self.assertEqual(client.out, sha256(self.file))

    def test_what_is_fetched_came_through_it(self):
        self.web(self.there, "::", 8000, self.file)
        self.fetch(self.on_weir, f"http://[{FAR}]:8000/")

    def test_datagrams_are_cut_to_it(self):
        """The first that is too big is lost; the router says how much there is room for."""
        served = self.there(sys.executable, ECHO, "serve", "::", 7777)
        served.wait_for("^ready$")
        text = """
import socket, sys, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 7777))
s.settimeout(1)
for i in range(5):
    try:
        s.send(bytes(1400)); print(len(s.recv(9999)), flush=True); break
    except OSError:
        pass
"""
        asked = self.tap(sys.executable, "-c", text, FAR, options=self.options)
        asked.exit(30)
        self.assertEqual(asked.out, "1400\n", asked.err)


if __name__ == "__main__":
    rig.need("curl", "ping", "nsenter", "unshare")
    lan.enter()
    tap.main()
