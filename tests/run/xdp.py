"""weir beside the kernel on an interface, through AF_XDP (--link xdp:IFNAME), with the kernel beyond a veth
pair, which has native XDP and copies: ping, transfers, fragments, IPv6, an interface that goes. The
kernel beyond leaves checksums to a card that is not there, and XDP does not tell which."""
import contextlib
import os
import signal
import subprocess
import sys

import lan
import pair
import rig
import tap


def why_not():
    """Of AF_XDP alone: one start on a pair that the kernel allows, or its line."""
    lan.ip("link", "add", pair.WEIR_DEV, "up", "type", "veth", "peer", "name", pair.FAR_DEV)
    try:
        done = subprocess.run([rig.WEIR, "run", "--link", f"xdp:{pair.WEIR_DEV}", "--ip", f"{pair.WEIR}/24", "--", "true"],
                              stderr=subprocess.PIPE, text=True, check=False, timeout=rig.PATIENCE)
    finally:
        lan.ip("link", "del", pair.WEIR_DEV)
    for text in ("no AF_XDP", "no permission"):
        if text in done.stderr:
            return done.stderr.strip()
    return None


class Ways(pair.Ways):
    kind = "xdp"


class Generic(pair.Ways):
    """Outside of the driver. The kernel beyond is to make no superframes, which fit no chunk."""
    kind, mode = "xdp", ",generic"

    def setUp(self):
        super().setUp()
        self.beyond("ip", "link", "set", pair.FAR_DEV, "gso_max_segs", "1")

    def test_the_mode_is_told(self):
        program = self.near("true")
        program.exit()
        self.assertRegex(program.err, rf"weir: xdp {pair.WEIR_DEV}: copying, generic XDP, as asked for, \d+ queues?\n")
        self.assertNotIn("the link lost", program.err)

    def test_of_one_queue(self):
        program = self.weir("sh", "-c", "echo ready; exec sleep 1000",
                            options=("--link", f"xdp:{pair.WEIR_DEV}:0,generic", "--ip", f"{pair.WEIR}/24"))
        program.wait_for("^ready$")
        self.assertIn("prog/xdp", lan.ip("link", "show", pair.WEIR_DEV))
        self.assertIn("xdpgeneric", lan.ip("link", "show", pair.WEIR_DEV))
        self.ping(pair.WEIR)


class Losses(pair.Case):
    kind = "xdp"

    def test_a_program_that_is_stopped(self):
        """There are 2,048 chunks to fill; what comes while none is free is counted, and the link goes on."""
        program = self.idle()
        self.flood_while_stopped(program, 6000)
        self.ping(pair.WEIR)
        self.assertRegex(self.ended(program), r"weir: the link lost \d+ frames, xdp_rx_full: ")


class LongOnes(pair.Case):
    kind, mode = "xdp", ",generic"

    def test_superframes_outside_of_the_driver(self):
        program = self.idle()
        self.ping(pair.WEIR)
        self.beyond(sys.executable, "-c", pair.SEGMENTS, pair.WEIR)
        self.ping(pair.WEIR)
        self.assertIn("weir: the link lost 1 frames, xdp_rx_long: ", self.ended(program))


class Gone(pair.Gone):
    kind = "xdp"


class Configured(pair.Configured):
    kind = "xdp"


class Queues(pair.Case):
    kind = "xdp"

    def test_the_mode_is_told(self):
        program = self.near("true")
        program.exit()
        self.assertRegex(program.err, rf"weir: xdp {pair.WEIR_DEV}: copying, native XDP, \d+ queues?\n")

    def test_one_that_is_named(self):
        program = self.weir("true", options=("--link", f"xdp:{pair.WEIR_DEV}:0", "--ip", f"{pair.WEIR}/24"))
        program.exit()
        self.assertIn("native XDP, 1 queue\n", program.err)

    def test_nothing_is_left_behind(self):
        """The program in the kernel goes with the process, however that ends."""
        program = self.idle()
        self.assertIn("prog/xdp", lan.ip("link", "show", pair.WEIR_DEV))
        for child in [*rig.children(program.pid), program.pid]:
            with contextlib.suppress(ProcessLookupError):  # the first one's end may end others
                os.kill(child, signal.SIGKILL)
            rig.wait_gone(child)
        self.assertNotIn("prog/xdp", lan.ip("link", "show", pair.WEIR_DEV))


class Mistakes(pair.Mistakes):
    kind = "xdp"

    def test_no_such_queue(self):
        self.check(f"xdp:{pair.WEIR_DEV}:4000", "has no queue 4000", "ethtool -l")

    def test_not_a_queue(self):
        self.check(f"xdp:{pair.WEIR_DEV}:x", "not a queue 'x'", "xdp:eth0:0")
        self.check(f"xdp:{pair.WEIR_DEV}:,generic", "not a queue", "xdp:eth0:0")

    def test_not_a_mode(self):
        self.check(f"xdp:{pair.WEIR_DEV},fast", "not a mode of XDP 'fast'", "xdp:eth0,generic")

    def test_jumbo_frames(self):
        lan.ip("link", "set", pair.WEIR_DEV, "mtu", "9000")
        self.check(f"xdp:{pair.WEIR_DEV}", "MTU of wnear is 9000", "mtu 3498", "--link packet:wnear")

    def test_jumbo_frames_of_the_peer(self):
        self.beyond("ip", "link", "set", pair.FAR_DEV, "mtu", "9000")
        self.check(f"xdp:{pair.WEIR_DEV}", "MTU of the peer of wnear")

    def test_a_queue_that_is_taken(self):
        self.idle()
        self.check(f"xdp:{pair.WEIR_DEV}", "taken by another program", ip="10.88.0.9/24")


if __name__ == "__main__":
    pair.enter(why_not)
    tap.main()
