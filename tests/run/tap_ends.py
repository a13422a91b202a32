"""How connections over a TAP device begin badly and end: refused, unreachable, and peers that go away
without a word; iperf3 both ways."""
import json
import os
import signal
import socket

import lan
import rig
import tap

CONNECT = """
import errno, socket, sys
s = socket.socket()
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
    print("connected")
except OSError as e:
    print(errno.errorcode[e.errno])
"""
# Reads what comes until the end, and says how it ended.
READ = """
import errno, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("connected", flush=True)
try:
    while s.recv(65536):
        pass
    print("end")
except OSError as e:
    print(errno.errorcode[e.errno])
"""
# Writes without end, until that fails.
WRITE = """
import errno, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("connected", flush=True)
try:
    while True:
        s.send(bytes(65536))
except OSError as e:
    print(errno.errorcode[e.errno])
"""


class Refusals(lan.Case):
    def outcome(self, *where, options=()):
        program = self.python(CONNECT, *where, options=("--link", "tap:weir0", *options))
        self.end_well(program)
        return program

    def test_a_port_of_the_kernel_that_nobody_has(self):
        self.assertEqual(self.outcome(lan.KERNEL, 9).out, "ECONNREFUSED\n")

    def test_a_port_of_weir_that_nobody_has(self):
        self.idle()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((lan.WEIR, 9), rig.PATIENCE)

    def test_a_host_that_nobody_is(self):
        program = self.outcome("10.77.0.9", 80)
        self.assertEqual(program.out, "EHOSTUNREACH\n")
        self.assertRegex(program.err, r"neigh_failed \d")

    def test_a_gateway_that_nobody_is(self):
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        self.addCleanup(lan.ip, "link", "del", "weir0")
        program = self.outcome("192.0.2.1", 80, options=("--ip", "10.77.0.2/24", "--gw", "10.77.0.9"))
        self.assertEqual(program.out, "EHOSTUNREACH\n")


class Gone(lan.Case):
    """The peer goes away with a connection open."""

    def connected(self, text, *options):
        listener = socket.create_server(("0.0.0.0", 0))
        self.addCleanup(listener.close)
        listener.settimeout(rig.PATIENCE)
        program = self.python(text, lan.KERNEL, listener.getsockname()[1],
                              options=("--link", "tap:weir0", *options))
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        program.wait_for("^connected$")
        return program, peer

    def test_the_kernel_s_program_ends(self):
        program, peer = self.connected(READ)
        peer.close()
        self.end_well(program)
        self.assertEqual(program.out, "connected\nend\n")

    def test_the_kernel_resets(self):
        program, peer = self.connected(READ)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        self.end_well(program)
        self.assertEqual(program.out, "connected\nECONNRESET\n")

    def test_the_kernel_s_program_is_killed_with_bytes_unread(self):
        port = rig.free_port()
        reader = self.kernel(
            "python3", "-u", "-c", "import socket\n"
            f"l = socket.create_server(('0.0.0.0', {port}))\nprint('ready')\nl.accept()[0].recv(1)\n"
            "print('one')\ninput()", stdin=-1)
        reader.wait_for("ready")
        program = self.python(WRITE, lan.KERNEL, port, options=("--link", "tap:weir0"))
        reader.wait_for("one")
        reader.signal(signal.SIGKILL)
        self.end_well(program)
        self.assertEqual(program.out, "connected\nECONNRESET\n")

    def test_the_kernel_s_address_goes(self):
        """Nobody answers any more: the last retransmission ends it."""
        program, peer = self.connected(WRITE, "--set", "net.ipv4.tcp_retries2=3")
        peer.recv(1)
        lan.ip("addr", "del", f"{lan.KERNEL}/24", "dev", "weir0")
        self.end_well(program)
        self.assertEqual(program.out, "connected\nETIMEDOUT\n")

    def test_the_device_goes(self):
        program, _ = self.connected(READ)
        lan.ip("link", "del", "weir0")
        self.assertEqual(program.exit(), 0, program.err)
        self.assertIn("weir: weir0 is gone; connections end here\n", program.err)
        self.assertNotIn("a bug", program.err)
        self.assertEqual(program.out, "connected\nENETDOWN\n")

    def test_weir_s_program_is_killed(self):
        program, peer = self.connected(READ)
        for child in rig.children(program.pid):
            with open(f"/proc/{child}/comm", encoding="ascii") as stream:
                if stream.read().startswith("python"):
                    os.kill(child, signal.SIGKILL)
        peer.settimeout(rig.PATIENCE)
        self.assertEqual(peer.recv(1), b"")
        self.end_well(program, 128 + signal.SIGKILL)


@rig.need("iperf3")
class Iperf3(lan.Case):
    BYTES = 100_000_000

    def sent(self, server, client, address, *words):
        """Bytes that a run of iperf3 between the two sent; the receiver counts until it hears of the end."""
        listening = server("iperf3", "-s", "-1", "--forceflush")
        listening.wait_for("Server listening")
        if server == self.tap:
            self.stands(listening)
        run = client("iperf3", "-c", address, "-n", self.BYTES, "--json", *words)
        self.assertEqual(run.exit(120), 0, run.out + run.err)
        self.assertEqual(listening.exit(), 0, listening.err)
        end = json.loads(run.out)["end"]
        self.assertGreater(end["sum_received"]["bytes"], 0)
        return end["sum_sent"]["bytes"]

    def test_weir_sends(self):
        self.assertGreaterEqual(self.sent(self.kernel, self.tap, lan.KERNEL), self.BYTES)

    def test_weir_receives(self):
        self.assertGreaterEqual(self.sent(self.kernel, self.tap, lan.KERNEL, "-R"), self.BYTES)

    def test_weir_serves(self):
        self.assertGreaterEqual(self.sent(self.tap, self.kernel, lan.WEIR), self.BYTES)

    def test_weir_serves_reversed(self):
        self.assertGreaterEqual(self.sent(self.tap, self.kernel, lan.WEIR, "-R"), self.BYTES)


if __name__ == "__main__":
    lan.enter()
    tap.main()
