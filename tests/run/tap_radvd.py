"""IPv6 that configures itself: radvd and the kernel on one side of a TAP device, `weir run` on the other."""
import re
import subprocess
import unittest

import lan
import rig
import tap

SAY = """
import socket, sys, time
for _ in range(400):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        s.connect(("fd00:99::1", 9))
        if s.getsockname()[0].startswith("fd00"):
            print("from", s.getsockname()[0], flush=True)
            if len(sys.argv) > 1:
                print("found", socket.getaddrinfo(sys.argv[1], 80, socket.AF_INET)[0][4][0], flush=True)
            break
    except OSError:
        pass
    time.sleep(0.05)
time.sleep(1000)
"""

CONFIG = """
interface weir0 {
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvLinkMTU 1400;
    prefix fd00:99::/64 { AdvOnLink on; AdvAutonomous on; };
    route fd00:77::/48 {};
    RDNSS fd00:99::1 {};
};
"""


@unittest.skipUnless(rig.find("radvd"), "not installed: radvd")
class Radvd(lan.Case):
    def setUp(self):
        super().setUp()
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        self.addCleanup(lan.ip, "link", "del", "weir0")
        for name in ("all", "weir0"):
            with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as knob:
                knob.write("0")
        lan.ip("link", "set", "weir0", "up")
        lan.ip("addr", "add", "fd00:99::1/64", "dev", "weir0", "nodad")
        with open("/proc/sys/net/ipv6/conf/all/forwarding", "w", encoding="ascii") as knob:
            knob.write("1")
        with open(self.path("radvd.conf"), "w", encoding="ascii") as config:
            config.write(CONFIG)

    def test_an_address_and_both_ways(self):
        program = self.python(SAY, options=("--link", "tap:weir0", "--ip", "10.77.0.2/24", "--gw", "10.77.0.1"))
        self.start(rig.find("radvd"), "-n", "-m", "stderr", "-C", self.path("radvd.conf"), "-p", self.path("pid"))
        address = program.wait_for(r"^from (fd00:99::?[0-9a-f:]+)$")[1]
        ping = subprocess.run([rig.find("ping"), "-6", "-c", "3", "-i", "0.05", "-W", "5", address],
                              stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(ping.returncode, 0, ping.stdout)
        self.assertIn(" 0% packet loss", ping.stdout)
        self.assertRegex(lan.ip("-6", "neigh", "show", "dev", "weir0"), rf"{re.escape(address)} lladdr")

    @rig.need("dnsmasq")
    def test_the_nameserver_that_the_router_names(self):
        """By whatever address the host's resolv.conf has, libc's question goes there.  RFC 8106"""
        server = self.start(rig.find("dnsmasq"), "-d", "-C", "/dev/null", "-i", "weir0", "--bind-interfaces", "-R", "-u", "root",
                            "--log-queries", "--address=/host.test/192.0.2.77")
        server.wait_for("started", stream="err")
        program = self.python(SAY, "host.test", options=("--link", "tap:weir0", "--ip", "10.77.0.2/24", "--gw", "10.77.0.1"))
        self.start(rig.find("radvd"), "-n", "-m", "stderr", "-C", self.path("radvd.conf"), "-p", self.path("pid"))
        program.wait_for(r"^found 192\.0\.2\.77$")
        server.wait_for(r"query\[A\] host.test from fd00:99:", stream="err")


if __name__ == "__main__":
    lan.enter()
    tap.main()
