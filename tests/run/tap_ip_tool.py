"""weir ip and weir arp on a running stack: what they show, what they change, and ip(8)'s exit statuses."""
import json
import socket
import subprocess

import lan
import rig
import tap


class Ip(lan.Case):
    def setUp(self):
        super().setUp()
        self.program = self.idle()

    def tool(self, *words, status=0):
        done = subprocess.run([rig.WEIR, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=rig.PATIENCE)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertNotRegex(done.stderr, rig.SANITIZER)
        return done.stdout if status == 0 else done.stderr

    def ping(self):
        self.tool("ping", "-c", "1", lan.KERNEL)

    def test_what_is_shown(self):
        self.ping()
        out = self.tool("ip", "addr")
        self.assertRegex(out, r"(?m)^1: weir0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP$")
        self.assertRegex(out, r"(?m)^    link/ether [0-9a-f:]{17} brd ff:ff:ff:ff:ff:ff$")
        self.assertRegex(out, r"(?m)^    inet 10\.77\.0\.2/24 brd 10\.77\.0\.255 scope global weir0\n"
                              r"       valid_lft forever preferred_lft forever$")
        self.assertRegex(out, r"(?m)^    inet6 fe80::[0-9a-f:]+/64 scope link")
        self.assertNotIn("inet6", self.tool("ip", "-4", "a"))
        self.assertEqual(self.tool("ip", "r").splitlines(),
                         ["default via 10.77.0.1 dev weir0", "10.77.0.0/24 dev weir0 scope link"])
        self.assertRegex(self.tool("ip", "-6", "route"), r"(?m)^fe80::/64 dev weir0 metric 256$")
        self.assertRegex(self.tool("ip", "n"), r"(?m)^10\.77\.0\.1 dev weir0 lladdr [0-9a-f:]{17} REACHABLE$")
        self.assertRegex(self.tool("arp", "-n"), r"(?m)^10\.77\.0\.1 +ether +[0-9a-f:]{17} +C +weir0$")
        self.assertRegex(self.tool("arp", "-a"), r"(?m)^\? \(10\.77\.0\.1\) at [0-9a-f:]{17} \[ether\] on weir0$")
        self.assertRegex(self.tool("ip", "-s", "link"), r"RX: +bytes packets dropped\n +\d+ +\d+ +\d+\n")

    def test_json(self):
        (link,) = json.loads(self.tool("ip", "-j", "addr"))
        self.assertEqual((link["ifname"], link["mtu"], link["operstate"]), ("weir0", 1500, "UP"))
        self.assertEqual(link["addr_info"][0]["local"], "10.77.0.2")
        routes = json.loads(self.tool("ip", "-j", "route"))
        self.assertIn({"dst": "default", "gateway": "10.77.0.1", "dev": "weir0", "flags": []}, routes)

    def test_an_address_comes_and_goes(self):
        self.tool("ip", "addr", "add", "10.77.0.9/24", "dev", "weir0")
        self.assertIn("inet 10.77.0.9/24", self.tool("ip", "a"))
        subprocess.run([rig.find("ping"), "-c", "1", "-W", "5", "10.77.0.9"], check=True, stdout=subprocess.DEVNULL)
        self.assertIn("File exists", self.tool("ip", "addr", "add", "10.77.0.9/24", "dev", "weir0", status=2))
        self.tool("ip", "addr", "del", "10.77.0.9/24", "dev", "weir0")
        self.assertNotIn("10.77.0.9", self.tool("ip", "a"))
        self.assertIn("10.77.0.0/24", self.tool("ip", "r"))
        self.assertIn("Cannot assign", self.tool("ip", "addr", "del", "10.77.0.9/24", "dev", "weir0", status=2))

    def test_a_route_comes_and_goes(self):
        self.tool("ip", "route", "add", "192.0.2.0/24", "via", lan.KERNEL, "metric", "5")
        self.assertIn("192.0.2.0/24 via 10.77.0.1 dev weir0 metric 5\n", self.tool("ip", "r"))
        self.tool("ip", "route", "del", "192.0.2.0/24")
        self.assertNotIn("192.0.2.0", self.tool("ip", "r"))
        self.assertIn("No such process", self.tool("ip", "route", "del", "192.0.2.0/24", status=2))
        self.tool("ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "weir0")
        self.assertIn("default via fe80::1 dev weir0\n", self.tool("ip", "-6", "r"))

    def test_a_neighbour_comes_and_goes(self):
        self.tool("ip", "neigh", "add", "10.77.0.50", "lladdr", "02:00:00:00:00:50", "dev", "weir0")
        self.assertIn("10.77.0.50 dev weir0 lladdr 02:00:00:00:00:50 PERMANENT\n", self.tool("ip", "n"))
        self.assertRegex(self.tool("arp", "-n"), r"10\.77\.0\.50 .* CM ")
        self.tool("ip", "neigh", "del", "10.77.0.50", "dev", "weir0")
        self.assertNotIn("10.77.0.50", self.tool("ip", "n"))
        self.assertIn("No such file", self.tool("ip", "neigh", "del", "10.77.0.50", "dev", "weir0", status=2))

    def test_down_and_up(self):
        self.tool("ip", "link", "set", "weir0", "down")
        self.assertIn("state DOWN", self.tool("ip", "link"))
        self.tool("ping", "-c", "1", "-W", "0.2", lan.KERNEL, status=1)
        self.tool("ip", "link", "set", "dev", "weir0", "up")
        self.ping()

    def test_words_that_are_wrong(self):
        for words, status, text in (
                ("foo", 1, 'Object "foo" is unknown'), ("addr foo", 255, 'Command "foo" is unknown'),
                ("addr show dev nix", 1, 'Device "nix" does not exist.'),
                ("addr add 1.2.3.4/24 dev nix", 1, 'Cannot find device "nix"'),
                ("addr add 1.2.3/24 dev weir0", 255, "not an address"),
                ("addr add 1.2.3.4/33 dev weir0", 255, "not an address"),
                ("addr add 1.2.3.4/24", 255, "which device?"), ("-z addr", 255, "unknown option"),
                ("neigh add 1.2.3.4 dev weir0", 255, "which MAC?"),
                ("route add default via x", 255, "not an address behind via"),
                ("addr add 224.0.0.1/24 dev weir0", 2, "Invalid argument")):
            with self.subTest(words):
                self.assertIn(text, self.tool("ip", *words.split(), status=status))
        self.assertIn("usage: weir ip", self.tool("ip", "--help"))

    def test_another_station_with_our_address(self):
        """It is told of, and given up where that is said."""
        self.tool("sysctl", "-w", "net.weir.acd_defend=0")
        mac = bytes.fromhex("020000000066")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("weir0", 0))
            ip = socket.inet_aton(lan.WEIR)
            raw.send(b"\xff" * 6 + mac + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1" + mac + ip + bytes(6) + ip)
        for _ in range(100):
            out = self.tool("ip", "addr")
            if "dadfailed" in out:
                break
        self.assertRegex(out, r"dadfailed weir0 \(02:00:00:00:00:66 has it\)")
        self.assertRegex(self.tool("netstat", "-s"), r"arp_conflict +1 ")


if __name__ == "__main__":
    lan.enter()
    tap.main()
