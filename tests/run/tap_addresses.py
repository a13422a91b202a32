"""Who is who on a TAP link: what weir finds out, what it makes, what is typed; without root on a
device of one's own; -p; IPV6_V6ONLY."""
import ctypes
import os
import socket
import subprocess

import lan
import rig
import tap

CLONE_NEWNS = 0x20000
NOBODY = 65534
LISTEN6 = """
import socket, sys
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(sys.argv[1]))
s.bind(("::", 80))
s.listen()
print("ready", flush=True)
print(s.accept()[1][0])
"""


class Addresses(lan.Case):
    def said(self, *options, status=0):
        program = self.weir("true", options=("--link", "tap:weir0", *options))
        self.assertEqual(program.exit(), status, program.err)
        return program.err.splitlines()[0]

    def device(self, *addresses, is_up=True):
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        self.addCleanup(lan.ip, "link", "del", "weir0")
        for address in addresses:
            lan.ip("addr", "add", address, "dev", "weir0")
        lan.ip("link", "set", "weir0", "up" if is_up else "down")

    def test_a_device_that_is_made_has_both_ends(self):
        program = self.idle()
        self.assertEqual(program.err.splitlines()[0],
                         "weir: tap weir0: weir is 10.77.0.2/24, its gateway 10.77.0.1 is the kernel")
        self.assertRegex(lan.ip("-4", "addr", "show", "weir0"), r"(?s)UP.*inet 10\.77\.0\.1/24 ")

    def test_what_is_typed(self):
        self.assertEqual(self.said("--ip", "192.168.3.7/16", "--gw", "192.168.0.9"),
                         "weir: tap weir0: weir is 192.168.3.7/16, its gateway 192.168.0.9 is the kernel")
        self.assertIn("weir is 10.9.0.1/24, its gateway 10.9.0.2 is", self.said("--ip", "10.9.0.1"))
        self.assertIn("weir is 10.9.0.8/31, its gateway 10.9.0.9 is", self.said("--ip", "10.9.0.8/31"))
        self.assertIn("weir is 10.9.0.5/24, its gateway 10.9.0.4 is", self.said("--gw", "10.9.0.4"))

    def test_the_kernel_s_address_of_a_device_is_the_gateway(self):
        self.device("172.16.5.1/30")
        self.assertIn("weir is 172.16.5.2/30, its gateway 172.16.5.1 is the kernel", self.said())

    def test_the_last_host_of_a_subnet(self):
        self.device("172.16.5.254/24")
        self.assertIn("weir is 172.16.5.253/24, its gateway 172.16.5.254 is the kernel", self.said())

    def test_a_device_without_an_address_is_left_alone(self):
        self.device()
        self.assertIn("10.77.0.1 is beyond weir0; if it is to be the kernel: sudo ip addr add "
                      "10.77.0.1/24 dev weir0", self.said())
        self.assertNotIn("inet ", lan.ip("-4", "addr", "show", "weir0"))

    def test_what_does_not_go_together(self):
        self.device("10.1.1.1/24")
        self.assertEqual(self.said("--ip", "10.1.1.1/24", status=2),
                         "weir: 10.1.1.1 is the kernel's own address on weir0: choose another --ip")
        self.assertEqual(self.said("--gw", "10.2.0.1", status=2),
                         "weir: --gw 10.2.0.1 does not go with the address that the kernel has on weir0: "
                         "say --ip as well")

    def test_a_device_that_is_none(self):
        program = self.weir("true", options=("--link", "tap:lo"))
        self.assertEqual(program.exit(), 2)
        self.assertIn("lo is there and is no tap device", program.err)

    def test_publishing_is_for_the_host_link(self):
        self.idle(options=("-p", "8080:80")).wait_for(
            r"^weir: -p 8080:80 is for the host link and has no effect here: on a tap link the program "
            r"is reached at its own address, 10\.77\.0\.2:80$", stream="err")


class Ordinary(lan.Case):
    """A user without any privilege."""

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
            self.skipTest("unshare: " + os.strerror(ctypes.get_errno()))
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        self.tun(0o666)
        preload = os.path.join(os.path.dirname(rig.WEIR), "libweir-preload.so")
        if subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                           "test", "-r", preload], check=False).returncode != 0:
            self.skipTest("this build tree is not readable for other users")

    def tun(self, mode):
        """/dev/net/tun with this mode, for this test alone."""
        node = self.path(f"tun-{mode:o}")
        os.mknod(node, 0o020000 | mode, os.makedev(10, 200))
        os.chmod(node, mode)
        if subprocess.run(["mount", "--bind", node, "/dev/net/tun"], check=False).returncode != 0:
            self.skipTest("mount is not permitted")
        self.addCleanup(subprocess.run, ["umount", "/dev/net/tun"], check=False)
        try:
            os.close(os.open("/dev/net/tun", os.O_RDWR))
        except OSError as error:
            self.skipTest(f"a device made in {self.folder}: {error.strerror}")

    def device(self, user=NOBODY):
        lan.ip("tuntap", "add", "weir0", "mode", "tap", "user", str(user))
        self.addCleanup(lan.ip, "link", "del", "weir0")
        lan.ip("addr", "add", "10.5.0.1/24", "dev", "weir0")
        lan.ip("link", "set", "weir0", "up")

    def nobody(self, *words):
        user = str(NOBODY)
        return self.start("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--", *words)

    def refused(self):
        program = self.nobody(rig.WEIR, "run", "--link", "tap:weir0", "--", "true")
        self.assertEqual(program.exit(), 2)
        self.assertEqual(program.err.count("\n"), 1, program.err)
        return program.err

    def test_a_device_of_one_s_own(self):
        self.device()
        file = lan.make_file(self.path("file"), 3_000_000)
        os.chmod(file, 0o644)
        self.web(self.kernel, "10.5.0.1", 8000, file)
        client = self.nobody(rig.WEIR, "run", "--link", "tap:weir0", "--", "curl", "-sS", "--max-time",
                             "20", "http://10.5.0.1:8000/")
        self.assertEqual(client.exit(60), 0, client.err)
        with open(file, "rb") as stream:
            self.assertTrue(client.bytes["out"] == stream.read(), "the bytes differ")

    def test_making_a_device(self):
        text = self.refused()
        self.assertIn("needs CAP_NET_ADMIN", text)
        self.assertIn("ip tuntap add weir0 mode tap user", text)
        self.assertIn("the link host, which needs no privilege", text)

    def test_a_device_of_somebody_else(self):
        self.device(user=1)
        text = self.refused()
        self.assertIn("tap device weir0 belongs to another user", text)
        self.assertIn("the link host, which needs no privilege", text)

    def test_no_permission_at_all(self):
        self.tun(0o600)
        self.assertIn("no permission to open /dev/net/tun", self.refused())


class V6Only(lan.Case):
    def listener(self, is_only):
        program = self.tap("python3", "-u", "-c", LISTEN6, is_only)
        program.wait_for("^ready$")
        return program

    def test_both_families(self):
        program = self.listener(0)
        socket.create_connection((lan.WEIR, 80), rig.PATIENCE).close()
        self.end_well(program)
        self.assertEqual(program.out, f"ready\n::ffff:{lan.KERNEL}\n")

    def test_ipv6_alone(self):
        self.listener(1)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((lan.WEIR, 80), rig.PATIENCE)


if __name__ == "__main__":
    lan.enter()
    tap.main()
