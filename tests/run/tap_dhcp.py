"""weir run --dhcp against dnsmasq, which is the kernel's side of the TAP device."""
import unittest

import lan
import rig
import tap

SERVER = "10.9.8.1"


@unittest.skipUnless(rig.find("dnsmasq"), "not installed: dnsmasq-base")
class Dhcp(lan.Case):
    def setUp(self):
        super().setUp()
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        lan.ip("addr", "add", f"{SERVER}/24", "dev", "weir0")
        lan.ip("link", "set", "weir0", "up")
        self.addCleanup(lan.ip, "link", "del", "weir0")

    def serve(self, *words):
        server = self.start(rig.find("dnsmasq"), "-d", "-C", "/dev/null", "-i", "weir0", "--bind-interfaces",
                            "-R", "-u", "root", "--no-ping", "--dhcp-authoritative", "--log-dhcp",
                            "--dhcp-range=10.9.8.50,10.9.8.59,255.255.255.0,120",
                            f"--dhcp-leasefile={self.path('leases')}", *words)
        server.wait_for("started", stream="err")
        return server

    def program(self, *words, options=()):
        return self.tap(*words, options=("--dhcp", *options))

    def test_an_address_a_gateway_a_nameserver(self):
        server = self.serve("--dhcp-option=3,10.9.8.9", f"--dhcp-option=6,{SERVER}",
                            "--address=/host.test/192.0.2.77")
        program = self.program("getent", "ahostsv4", "host.test")
        self.assertEqual(program.exit(40), 0, program.err)
        self.assertRegex(program.err, r"weir is 10\.9\.8\.5\d/24, by DHCP from 10\.9\.8\.1; gateway "
                                      r"10\.9\.8\.9; nameserver 10\.9\.8\.1\n")
        self.assertIn("192.0.2.77", program.out)
        server.wait_for("DHCPRELEASE", stream="err")
        for word in ("DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPACK"):
            self.assertIn(word, server.err)

    def test_options_that_fit_not_together(self):
        for words, text in ((("--ip", "10.9.8.2/24"), "leave out one or the other"),
                            (("--link", "host"), "are for a tap link")):
            program = self.program("true", options=words)
            self.assertEqual(program.exit(), 2)
            self.assertIn(text, program.err)


if __name__ == "__main__":
    lan.enter()
    tap.main()
