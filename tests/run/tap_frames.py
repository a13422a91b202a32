"""Frames that are wrong, sent with a raw socket from the namespace: each is counted under its reason
in `weir netstat -s`, and nothing else happens; what runs goes on."""
import re
import socket
import struct
import subprocess

import lan
import rig
import tap

ETH_P_ALL, IP4, ARP, IP6 = 3, 0x0800, 0x0806, 0x86DD
ICMP, TCP, UDP = 1, 6, 17
SERVER = """
import socket
s = socket.create_server(("0.0.0.0", 80))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("0.0.0.0", 53))
print("ready", flush=True)
c = s.accept()[0]
while True:
    data = c.recv(65536)
    if not data:
        break
    c.sendall(data)
"""


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(proto, payload, *, src=lan.KERNEL, dst=lan.WEIR, version=4, words=None, length=None, frag=0, options=b"",
       damage=0):
    """An IPv4 packet; what is named is wrong on purpose, the checksum is right but for `damage`."""
    words = 5 + len(options) // 4 if words is None else words
    length = 20 + len(options) + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words, 0, length, 7, frag, 64, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head) ^ damage) + head[12:] + payload


def pseudo(proto, payload, at, damage=0):
    """`payload` with the transport checksum at `at`."""
    head = socket.inet_aton(lan.KERNEL) + socket.inet_aton(lan.WEIR) + struct.pack("!HH", proto, len(payload))
    return payload[:at] + struct.pack("!H", checksum(head + payload) ^ damage) + payload[at + 2:]


def icmp(kind, code=0, rest=b"\0\0\0\0", payload=b"", damage=0):
    message = struct.pack("!BBH", kind, code, 0) + rest + payload
    return message[:2] + struct.pack("!H", checksum(message) ^ damage) + message[4:]


def tcp(flags, sport=1234, dport=80, words=5, damage=0):
    segment = struct.pack("!HHIIBBHHH", sport, dport, 1, 1, words << 4, flags, 1000, 0, 0)
    return pseudo(TCP, segment, 16, damage)


def udp(dport, payload=b"abcd", length=None, damage=0):
    length = 8 + len(payload) if length is None else length
    return pseudo(UDP, struct.pack("!HHHH", 1234, dport, length, 0) + payload, 6, damage)


def arp(op=1, sender=lan.KERNEL, target=lan.WEIR, kind=1, mac=b"\x02\0\0\0\0\x07"):
    return struct.pack("!HHBBH6s4s6s4s", kind, IP4, 6, 4, op, mac, socket.inet_aton(sender), bytes(6),
                       socket.inet_aton(target))


QUOTE = ip(TCP, struct.pack("!HHI", 4000, 5000, 1), src=lan.WEIR, dst=lan.KERNEL)

# reason, ethertype, what follows; sent to weir's MAC
WRONG = (
    ("ether_type", 0x88B5, b"hello"),
    ("llc", 3, b"\x42\x42\x03"),
    ("ip_version", IP6, b"\x40" + bytes(39)),
    ("ip6_none", IP6, b"\x60" + bytes(5) + b"\x3b\xff" + bytes.fromhex("fe80" + 13 * "00" + "01" + "ff02" + 13 * "00" + "01")),
    ("ip_short", IP4, b"\x45\0\0\x14"),
    ("ip_version", IP4, ip(UDP, udp(53), version=5)),
    ("ip_header_len", IP4, ip(UDP, udp(53), words=4)),
    ("ip_header_len", IP4, ip(UDP, b"", words=15)),
    ("ip_total_len", IP4, ip(UDP, udp(53), length=2000)),
    ("ip_total_len", IP4, ip(UDP, udp(53), length=19)),
    ("ip_checksum", IP4, ip(UDP, udp(53), damage=1)),
    ("ip_option", IP4, ip(UDP, udp(53), dst="10.77.0.99", options=b"\x07\x01\0\0")),
    ("ip_source_route", IP4, ip(UDP, udp(53), options=b"\x83\x07\x04\x0a\x00\x00\x01\0")),
    ("ip_martian_source", IP4, ip(UDP, udp(53), src="224.0.0.5")),
    ("ip_martian_source", IP4, ip(UDP, udp(53), src="127.0.0.1")),
    ("ip_martian_source", IP4, ip(UDP, udp(53), src=lan.WEIR)),
    ("ip_not_local", IP4, ip(UDP, udp(53), dst="10.77.0.99")),
    ("icmp_short", IP4, ip(ICMP, b"\x08\0\0")),
    ("icmp_checksum", IP4, ip(ICMP, icmp(8, damage=1))),
    ("icmp_type", IP4, ip(ICMP, icmp(42))),
    ("icmp_ignored", IP4, ip(ICMP, icmp(4, 0, payload=QUOTE))),
    ("icmp_unmatched", IP4, ip(ICMP, icmp(5, 1, payload=QUOTE))),
    ("icmp_quote", IP4, ip(ICMP, icmp(3, 1, payload=b"\x45"))),
    ("icmp_unmatched", IP4, ip(ICMP, icmp(3, 1, payload=QUOTE))),
    ("udp_short", IP4, ip(UDP, b"\0\x07\0")),
    ("udp_len", IP4, ip(UDP, udp(53, length=7))),
    ("udp_len", IP4, ip(UDP, udp(53, length=900))),
    ("udp_checksum", IP4, ip(UDP, udp(53, damage=1))),
    ("tcp_short", IP4, ip(TCP, tcp(2)[:19])),
    ("tcp_offset", IP4, ip(TCP, tcp(2, words=4))),
    ("tcp_offset", IP4, ip(TCP, tcp(2, words=15))),
    ("tcp_checksum", IP4, ip(TCP, tcp(2, damage=1))),
    ("tcp_port_zero", IP4, ip(TCP, tcp(2, sport=0))),
    ("arp_malformed", ARP, arp()[:27]),
    ("arp_malformed", ARP, arp(kind=7)),
    ("arp_invalid", ARP, arp(mac=b"\xff" * 6)),
    ("arp_not_for_us", ARP, arp(sender="10.77.0.50", target="10.77.0.77")),
)


class Frames(lan.Case):
    def setUp(self):
        super().setUp()
        self.server = self.tap("python3", "-u", "-c", SERVER, options=("--set", "net.ipv6.conf.all.disable_ipv6=1"))
        self.server.wait_for("^ready$")
        self.peer = socket.create_connection((lan.WEIR, 80), rig.PATIENCE)
        self.addCleanup(self.abort)
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.addCleanup(self.raw.close)
        self.raw.bind(("weir0", ETH_P_ALL))
        self.raw.settimeout(rig.PATIENCE)
        self.mac = bytes.fromhex(re.search(r"lladdr ([0-9a-f:]+)", lan.ip("neigh", "show", lan.WEIR))[1]
                                 .replace(":", ""))
        self.own = self.raw.getsockname()[4]
        self.echo(0)

    def abort(self):
        """Nothing of this connection may come back to the stack of the next case."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()

    def echo(self, number):
        """A round trip through the program: what was sent before has been judged."""
        self.peer.sendall(b"%9d\n" % number)
        self.assertEqual(self.peer.recv(10, socket.MSG_WAITALL), b"%9d\n" % number)

    def drops(self):
        text = subprocess.run([rig.WEIR, "netstat", "-s"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        return dict(re.findall(r"^    (\w+) +(\d+)  ", text.partition("Dropped:\n")[2], re.M))

    def answers(self, number):
        """The frames that weir sends until the round trip `number` is over, without those of it."""
        found = []
        self.echo(number)
        self.raw.setblocking(False)
        try:
            while True:
                data, (_, _, kind, *_) = self.raw.recvfrom(65536)
                is_echo = data[12:14] == b"\x08\x00" and data[23] == TCP
                is_question = data[12:14] == b"\x08\x06" and data[21] == 1  # is the neighbour still there?
                if kind != socket.PACKET_OUTGOING and not is_echo and not is_question:
                    found.append(data)
        except BlockingIOError:
            return found

    def test_each_is_counted_and_nothing_else(self):
        self.answers(0)
        for number, (reason, kind, rest) in enumerate(WRONG, 1):
            with self.subTest(reason, number=number):
                before = self.drops()
                self.raw.send(self.mac + self.own + struct.pack("!H", kind) + rest)
                self.assertEqual(self.answers(number), [], "it was answered")
                after = self.drops()
                changed = {name: int(n) - int(before.get(name, 0)) for name, n in after.items()
                           if n != before.get(name)}
                self.assertEqual(changed, {reason: 1})

    def test_another_station_s_frame(self):
        before = int(self.drops().get("not_ours", 0))
        self.raw.send(b"\x02\0\0\0\0\x09" + self.own + b"\x08\0" + ip(UDP, udp(53)))
        self.echo(1)
        self.assertEqual(int(self.drops()["not_ours"]), before + 1)

    def test_what_deserves_an_answer(self):
        """No such port, no such protocol, a malformed option: ICMP says so, and quotes the packet."""
        self.answers(0)
        for kind, code, packet, reason in ((3, 3, ip(UDP, udp(54)), "udp_no_port"),
                                           (3, 2, ip(253, b"12345678"), "ip_protocol"),
                                           (12, 0, ip(UDP, udp(53), options=b"\x07\x01\0\0"), "ip_option")):
            before = int(self.drops().get(reason, 0))
            self.raw.send(self.mac + self.own + b"\x08\0" + packet)
            (answer,) = self.answers(kind + code)
            self.assertEqual(answer[14 + 20:14 + 22], bytes([kind, code]))
            self.assertEqual(answer[14 + 28:14 + 28 + 20], packet[:20])
            self.assertEqual(int(self.drops()[reason]), before + 1)

    def test_the_summary_names_the_reasons(self):
        self.raw.send(self.mac + self.own + b"\x08\0" + ip(UDP, udp(53), damage=1))
        self.echo(1)
        self.peer.shutdown(socket.SHUT_WR)
        self.end_well(self.server)
        self.assertRegex(self.server.err, r"; \d+ dropped: (.*, )?ip_checksum 1\b")


if __name__ == "__main__":
    lan.enter()
    tap.main()
