"""weir traceroute through real routers: the kernel of this namespace forwards to a second one, which
forwards to a third. By a running stack and by one of its own, by UDP, ICMP and TCP.  ROW:118"""
import os
import re
import subprocess

import lan
import rig
import tap

NEAR, FAR, TARGET = "10.77.0.1", "10.78.0.2", "10.79.0.2"
ROUTER, HOST = f"wr{os.getpid()}", f"wh{os.getpid()}"


def within(name, *words):
    return lan.ip("netns", "exec", name, *words)


def build():
    """weir0 - here - ROUTER - HOST"""
    # A kernel answers a target's probes at a pace; here none is to be lost to that.
    knobs = ["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0"]
    subprocess.run(knobs, check=True)
    for name in (ROUTER, HOST):
        lan.ip("netns", "add", name)
        within(name, "ip", "link", "set", "lo", "up")
    within(ROUTER, *knobs)
    within(HOST, *knobs)
    lan.ip("link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", ROUTER)
    within(ROUTER, "ip", "link", "add", "vc", "type", "veth", "peer", "name", "vd", "netns", HOST)
    lan.ip("addr", "add", "10.78.0.1/24", "dev", "va")
    lan.ip("link", "set", "va", "up")
    lan.ip("route", "add", "10.79.0.0/24", "via", FAR)
    for name, device, address, away in ((ROUTER, "vb", FAR, "10.78.0.1"), (ROUTER, "vc", "10.79.0.1", None),
                                        (HOST, "vd", TARGET, "10.79.0.1")):
        within(name, "ip", "addr", "add", address + "/24", "dev", device)
        within(name, "ip", "link", "set", device, "up")
        if away:
            within(name, "ip", "route", "add", "default", "via", away)


def remove():
    for name in (ROUTER, HOST):
        subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


class Traceroute:
    """What holds for both ways."""

    def trace(self, *words, status=0):
        program = self.kernel(rig.WEIR, "traceroute", *self.way(), *words)
        self.assertEqual(program.exit(), status, program.err)
        lines = program.out.splitlines()
        self.assertRegex(lines[0], r"^traceroute to [\d.]+ \([\d.]+\), \d+ hops max, \d+ byte packets$")
        return lines[1:]

    def hops(self, *words):
        return [re.match(r" *\d+  ([\d.]+) ", line)[1] for line in self.trace(*words)]

    def test_udp(self):
        lines = self.trace(TARGET)
        times = r"  \d+\.\d{3} ms \d+\.\d{3} ms \d+\.\d{3} ms"
        self.assertEqual(len(lines), 3)
        for number, (line, who) in enumerate(zip(lines, (NEAR, FAR, TARGET)), 1):
            self.assertRegex(line, rf"^ {number}  {who}{times}$")

    def test_icmp(self):
        self.assertEqual(self.hops("-I", "-q", "1", TARGET), [NEAR, FAR, TARGET])

    def test_tcp_refused_and_taken(self):
        self.assertEqual(self.hops("-T", "-q", "1", "-p", "81", TARGET), [NEAR, FAR, TARGET])

    def test_from_the_second_hop_on(self):
        self.assertEqual(self.hops("-f", "2", "-q", "1", TARGET), [FAR, TARGET])

    def test_a_network_that_nobody_has(self):
        [line] = self.trace("-q", "1", "10.99.0.1", status=1)
        self.assertRegex(line, rf"^ 1  {NEAR}  \d+\.\d{{3}} ms !N$")

    def test_who_does_not_answer(self):
        within(HOST, "ip", "link", "set", "vd", "down")
        self.addCleanup(within, HOST, "ip", "route", "add", "default", "via", "10.79.0.1")
        self.addCleanup(within, HOST, "ip", "link", "set", "vd", "up")
        lines = self.trace("-q", "1", "-w", "1", "-m", "4", TARGET, status=1)
        self.assertEqual(lines[-1].split()[0], str(len(lines)))
        self.assertRegex(lines[-1], r"\*$|!H$")


class Own(Traceroute, lan.Case):
    def way(self):
        return "--link", "tap:weir0", "--gw", NEAR


class Running(Traceroute, lan.Case):
    def setUp(self):
        super().setUp()
        self.idle(options=["--gw", NEAR])

    def way(self):
        return ()

    def test_who_is_far_away_reaches_weir(self):
        answer = within(HOST, "ping", "-c", "1", "-W", "2", lan.WEIR)
        self.assertIn("1 received", answer)


class Unmodified(lan.Case):
    """Programs that read TTL and the error queue of their datagrams, under `weir run`."""

    def said(self, *words):
        program = self.tap(*words, options=["--gw", NEAR])
        self.assertEqual(program.exit(), 0, program.err)
        return program.out

    @rig.need("traceroute")
    def test_traceroute(self):
        out = self.said("traceroute", "-n", "-q", "1", TARGET)
        self.assertEqual(re.findall(r"^ *\d+  ([\d.]+)  [\d.]+ ms$", out, re.M), [NEAR, FAR, TARGET], out)

    @rig.need("tracepath")
    def test_tracepath(self):
        out = self.said("tracepath", "-n", TARGET)
        self.assertEqual(re.findall(r"^ *\d+:  ([\d.]+) ", out, re.M), [NEAR, FAR, TARGET], out)
        self.assertRegex(out, r"Resume: pmtu 1500 hops 3 back 3")


class HostLink(lan.Case):
    """The same over kernel sockets: TTL goes out with each datagram, and what routers say of it comes back."""

    def said(self, *words):
        program = self.weir(*words)
        self.assertEqual(program.exit(), 0, program.err)
        return program.out

    @rig.need("traceroute")
    def test_traceroute(self):
        out = self.said("traceroute", "-n", "-q", "1", TARGET)
        self.assertEqual(re.findall(r"^ *\d+  ([\d.]+)  [\d.]+ ms$", out, re.M), [FAR, TARGET], out)

    def test_weir_traceroute(self):
        self.weir("sh", "-c", "echo ready; sleep 1000").wait_for("ready")
        for words, status, out, err in (([], 0, rf"(?m)^ 1  {FAR}  .*ms\n 2  {TARGET}  .*ms$", ""),
                                        (["-I"], 2, r"\A\Z", "which carries no ICMP: weir traceroute --link tap:weir0"),
                                        (["-T"], 2, r"\A\Z", "which carries no TTL of TCP: weir traceroute --link tap:weir0")):
            with self.subTest(words):
                program = self.kernel(rig.WEIR, "traceroute", "-q", "1", *words, TARGET)
                self.assertEqual(program.exit(), status, program.err)
                self.assertRegex(program.out, out)
                self.assertIn(err, program.err)

    @rig.need("tracepath")
    def test_tracepath_finds_the_path_s_mtu(self):
        for name, device in ((ROUTER, "vc"), (HOST, "vd")):
            within(name, "ip", "link", "set", device, "mtu", "1300")
            self.addCleanup(within, name, "ip", "link", "set", device, "mtu", "1500")
        out = self.said("tracepath", "-n", TARGET)
        self.assertIn("pmtu 1300", out)
        self.assertRegex(out, r"Resume: pmtu 1300 hops 2 ")


class Mistakes(rig.Case):
    def test_one_line_and_exit_2(self):
        for words, said in (([], "wants an address"), (["nowhere"], "not an address 'nowhere'"), (["-q", "0", NEAR], "1 to 10"),
                            (["-f", "9", "-m", "3", NEAR], "-f is above -m"), (["--lnk", NEAR], "did you mean '--link'"),
                            (["-z", NEAR], "unknown option '-z'"), ([NEAR, "5"], "28 to")):
            with self.subTest(words):
                done = subprocess.run([rig.WEIR, "traceroute", *words], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    lan.enter()
    try:
        build()
        tap.main()
    finally:
        remove()
