"""Three hosts of the kernel, each on a TAP device of its own, browse each other through a router that is
a weir stack with three interfaces (examples/router.c); IPv4 and IPv6.  ROW:114 ROW:115 ROW:118"""
import hashlib
import os
import re
import subprocess
import sys

import lan
import rig
import tap

ROUTER = os.path.join(os.environ["WEIR_BUILD"], "examples", "example-router")
HOSTS = ("left", "right", "far")
SERVE = "import http.server; http.server.test(http.server.SimpleHTTPRequestHandler, port=80, bind={!r})"


class Three(lan.Case):
    version, bits, loop = 4, 24, ""

    def network(self, i):
        return f"10.{i + 1}.0.1"

    def host(self, i):
        return f"10.{i + 1}.0.2"

    def url(self, i):
        return f"http://{self.host(i)}/page"

    def setUp(self):
        super().setUp()
        self.file = lan.make_file(self.path("page"), 300_000)
        words = [f"wl{i}={self.network(i)}/{self.bits}" for i in range(len(HOSTS))]
        self.router = self.kernel(ROUTER, *words)
        self.router.wait_for("^router: 3 networks$", "err")
        self.spaces = []
        for i in range(len(HOSTS)):
            keeper = self.start("unshare", "-n", "sh", "-c", "ip link set lo up; echo ready; exec sleep 1000")
            keeper.wait_for("^ready$")
            self.spaces.append(str(keeper.child.pid))
            lan.ip("link", "set", f"wl{i}", "netns", self.spaces[i])
            self.inside(i, "ip", "link", "set", f"wl{i}", "up")
            nodad = ["nodad"] if self.version == 6 else []
            self.inside(i, "ip", f"-{self.version}", "addr", "add", f"{self.host(i)}/{self.bits}", "dev", f"wl{i}", *nodad)
            self.inside(i, "ip", f"-{self.version}", "route", "add", "default", "via", self.network(i))

    def words(self, i, *words):
        return ["nsenter", "-t", self.spaces[i], "-n", *words]

    def inside(self, i, *words, status=0):
        done = subprocess.run(self.words(i, *words), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def serve(self, i):
        server = self.start(*self.words(i, sys.executable, "-u", "-c", SERVE.format(self.host(i))), cwd=self.path(""))
        server.wait_for("Serving HTTP")

    def test_each_browses_each(self):
        for i in range(len(HOSTS)):
            self.serve(i)
        with open(self.file, "rb") as stream:
            sum_of_page = hashlib.sha256(stream.read()).hexdigest()
        for a in range(len(HOSTS)):
            for b in range(len(HOSTS)):
                if a != b:
                    got = self.inside(a, "sh", "-c", f"curl -sS --max-time 30 '{self.url(b)}' | sha256sum")
                    self.assertEqual(got.split()[0], sum_of_page)

    def test_each_pings_each_and_the_router(self):
        for a in range(len(HOSTS)):
            for address in (self.network(a), self.network((a + 1) % 3), self.host((a + 1) % 3), self.host((a + 2) % 3)):
                answer = self.inside(a, "ping", "-c", "1", "-W", "5", address)
                self.assertIn("1 received", answer)
                hops = 0 if address.endswith("1") else 1
                self.assertIn(f"ttl={64 - hops}", answer)

    def test_a_hop_too_many_is_told(self):
        done = subprocess.run(self.words(0, "ping", "-c", "1", "-W", "5", "-t", "1", self.host(1)),
                              capture_output=True, text=True, check=False)
        self.assertRegex(done.stdout, rf"(?i)from {self.network(0)}.*(time to live|hop limit|time) exceeded")

    def test_a_network_that_is_not_there(self):
        nowhere = "10.9.0.1" if self.version == 4 else "fd00:9::1"
        done = subprocess.run(self.words(0, "ping", "-c", "1", "-W", "5", nowhere), capture_output=True, text=True,
                              check=False)
        self.assertRegex(done.stdout, rf"(?i)from {self.network(0)}.*unreachable")

    def test_large_datagrams_cross_in_pieces(self):
        answer = self.inside(0, "ping", "-c", "1", "-W", "5", "-s", "4000", self.host(2))
        self.assertIn("4008 bytes from", answer)

    def test_it_says_what_it_did(self):
        self.inside(0, "ping", "-c", "3", "-i", "0.01", self.host(1))
        self.router.signal(15)
        self.assertEqual(self.router.exit(), 0, self.router.err)
        forwarded = int(re.search(r"(\d+) forwarded", self.router.out)[1])
        self.assertGreaterEqual(forwarded, 6)


class Three6(Three):
    version, bits = 6, 64

    def network(self, i):
        return f"fd00:{i + 1}::1"

    def host(self, i):
        return f"fd00:{i + 1}::2"

    def url(self, i):
        return f"http://[{self.host(i)}]/page"

    def setUp(self):
        for where in ("all", "default"):
            with open(f"/proc/sys/net/ipv6/conf/{where}/disable_ipv6", "w", encoding="ascii") as knob:
                knob.write("0")
        super().setUp()


if __name__ == "__main__":
    lan.enter()
    tap.main()
