"""weir beside the kernel on an interface, through packet sockets (--link packet:IFNAME), with the kernel
beyond a veth pair: ping, transfers, fragments, IPv6, jumbo frames, an interface that goes; what is
lost has a reason. The kernel beyond sends superframes without checksums, which must be taken."""
import subprocess
import sys

import lan
import pair
import rig
import tap


class Ways(pair.Ways):
    kind = "packet"


class Jumbo(pair.Ways):
    kind, mtu, largest = "packet", 9000, 8972
    test_datagrams_without_a_checksum_yet = test_nginx = test_the_kernel_beside_it_stays_silent = None


class Plain(pair.Ways):
    """Without superframes and with checksums in software, on the way out."""
    kind, options = "packet", ("--no-offload",)
    test_weir_is_the_server = test_both_ping = test_fragments_cross = test_nginx = test_the_kernel_beside_it_stays_silent = None


class Gone(pair.Gone):
    kind = "packet"


class Configured(pair.Configured):
    kind = "packet"


# Sends an ARP request of 10.88.0.1 for weir with each tag, and prints how many replies came to each.
TAGGED = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x806))
s.bind((sys.argv[1], 0))
s.settimeout(0.3)
mac = s.getsockname()[4]
ask = struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + mac + socket.inet_aton("10.88.0.1") + bytes(6) + socket.inet_aton("10.88.0.2")
for tag in (5, 4095, 0, 7 << 13):
    s.send(b"\\xff" * 6 + mac + struct.pack(">HHH", 0x8100, tag, 0x806) + ask)
    try:
        print(s.recv(100)[20:22].hex())
    except TimeoutError:
        print("none")
"""


# Sends a datagram of 1,400 bytes once it is told to.
SEND = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
input()
s.sendto(bytes(1400), ("{pair.FAR}", 7001))
"""


class Losses(pair.Case):
    kind = "packet"

    def test_of_another_vlan(self):
        """A tag that says a priority only is none."""
        program = self.idle()
        answers = self.beyond(sys.executable, "-c", TAGGED, pair.FAR_DEV).split()
        self.assertEqual(answers, ["none", "none", "0002", "0002"])
        self.assertIn("weir: the link lost 2 frames, rx_vlan: of another VLAN", self.ended(program))

    def test_started_again_it_is_the_same_station(self):
        """The kernel beyond remembers the MAC, and finds it again."""
        for _ in range(2):
            program = self.idle()
            self.ping(pair.WEIR)
            program.end()

    def test_a_program_that_is_stopped(self):
        """The ring has 2,048 slots."""
        program = self.idle()
        self.flood_while_stopped(program, 6000)
        self.ping(pair.WEIR)
        self.assertRegex(self.ended(program), r"weir: the link lost \d+ frames, rx_full: ")

    def test_superframes_of_a_program_that_is_stopped(self):
        """Those wait in the socket, which has room for some."""
        program = self.idle()
        self.flood_while_stopped(program, 1500, pair.SUPERFRAMES)
        self.ping(pair.WEIR)
        self.assertRegex(self.ended(program), r"weir: the link lost \d+ frames, rx_memory: ")

    def test_an_mtu_that_was_lowered(self):
        """The stack keeps to what it was told at the start."""
        program = self.near(sys.executable, "-c", SEND, stdin=subprocess.PIPE)
        program.wait_for("^ready$")
        self.ping(pair.WEIR)
        lan.ip("link", "set", pair.WEIR_DEV, "mtu", "1000")
        program.child.stdin.write(b"go\n")
        program.child.stdin.close()
        program.exit()
        self.assertIn("weir: the link lost 1 frames, tx_long: ", program.err)

    def test_while_the_interface_is_down(self):
        program = self.near("sh", "-c", "echo ready; read x; exec curl -m 1 http://10.88.0.9", stdin=subprocess.PIPE)
        program.wait_for("^ready$")
        lan.ip("link", "set", pair.WEIR_DEV, "down")
        program.child.stdin.write(b"go\n")
        program.child.stdin.flush()
        program.exit()
        self.assertRegex(program.err, r"weir: the link lost \d+ frames, tx_down: ")


TAKE = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 7001))
print("ready", flush=True)
for _ in range(13):
    data = s.recv(65536)
    print(chr(data[0]) + str(len(data)), flush=True)
print("over", flush=True)
"""


class Datagrams(pair.Case):
    kind = "packet"

    def test_superframes_are_taken_as_the_datagrams_in_them(self):
        """What QUIC servers send; a veth hands them over whole."""
        for address in (pair.WEIR, pair.WEIR6):
            program = self.near(sys.executable, "-c", TAKE)
            program.wait_for("^ready$")
            self.beyond(sys.executable, "-c", pair.SEGMENTS, address)
            program.wait_for("^over$")
            self.end_well(program)
            self.assertEqual(program.out.split()[1:-1], [chr(65 + i) + "1000" for i in range(12)] + ["e3"])
            self.assertNotIn("the link lost", program.err)


class Mistakes(pair.Mistakes):
    kind = "packet"


if __name__ == "__main__":
    pair.enter()
    tap.main()
