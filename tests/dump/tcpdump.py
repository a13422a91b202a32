"""weir dump prints what tcpdump prints, byte for byte: of the gallery's captures and of packets made
by hand, each kind that weir itself sends or judges, right and wrong."""
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import tap
from craft import (A, A6, B, B6, BROADCAST, MAC_A, MAC_B, ROUTER_ALERT, address, arp, bootp, ether,
                   icmp, icmp6, igmp, ip4, ip6, pcap, question, record, tcp, udp, with_transport_sum)

WEIR, SOURCE = os.environ["WEIR"], os.environ["WEIR_SOURCE"]
# tcpdump opens what it takes these ports to carry; weir dump says how long it is.
# (udp-through-nat has them in what ICMP quotes, too, where no filter looks.)
TELLING = ("arp-first-packet", "ping-and-traceroute", "lost-fragment", "frame-sizes", "ip6-narrow-link", "mss-and-mtu")
NOT_OPENED = ["not", "udp", "portrange", "7000-7009", "and", "not", "udp", "port", "5060"]


def arps():
    yield from (ether(arp(op), 0x806 if op < 3 or op > 4 else 0x8035, BROADCAST) for op in (1, 2, 3, 4, 9))
    yield ether(arp(1, tpa=A), 0x806, BROADCAST)
    yield ether(arp(1, spa="0.0.0.0"), 0x806, BROADCAST)
    yield ether(arp(1, tha=MAC_B), 0x806)
    yield ether(struct.pack(">HH", 0x6005, 0x806) + arp(1), 0x8100)
    snap = b"\xaa\xaa\x03\0\0\0\x08\0" + ip4(udp(b"hello world, this is padded"), 17)
    yield ether(snap, len(snap))
    yield ether(b"x" * 50, 0x1234)


def icmps():
    quotes = [ip4(udp(b"hello", src=B, dst=A), 17, B, A), ip4(tcp(), 6)[:28]]
    errors = [(3, code) for code in range(17)] + [(4, 0), (11, 0), (11, 1), (11, 2), (12, 0), (12, 1)]
    for kind, code in errors + [(5, code) for code in (0, 1, 2, 3, 9)]:
        rest = {(3, 4): b"\0\0\x05\x78", (12, 0): b"\x08\0\0\0"}.get((kind, code), b"\0" * 4)
        for quote in quotes:
            yield ip4(icmp(kind, code, address("10.0.0.9") if kind == 5 else rest, quote), 1)
    for kind in (0, 8, 9, 10, 13, 14, 15, 16, 17, 18, 30, 77):
        yield ip4(icmp(kind, 0, b"\0\x05\0\x09", b"\0\0\0\1" * 5), 1)
    wrong = icmp(8, 0, b"\0\x05\0\x09", b"x" * 56)
    yield ip4(wrong[:2] + b"\x12\x34" + wrong[4:], 1)


def headers():
    for proto in (1, 2, 6, 17, 50):
        yield ip4(b"z" * 64, proto, offset=185)
    for offset in (0x2000, 0x6000, 0x20B9, 0x8000):
        yield ip4(udp(b"q" * 20, length=3000, has_sum=False), 17, offset=offset)
    yield from (ip4(udp(b"q" * 20), 17, tos=tos, ttl=0) for tos in (1, 2, 3, 0xB8))
    for options in (b"\x01\x01\x01\0", ROUTER_ALERT, b"\x94\x04\0\5", b"\x07\x07\x04\0\0\0\0\0",
                    b"\x99\x04\1\1", b"\x44\x28\0\0"):
        yield ip4(udp(b"q" * 20), 17, options=options)
    whole = ip4(udp(b"abc"), 17)
    yield whole[:10] + b"\1\2" + whole[12:]
    yield ip4(b"x" * 30, 4)
    yield ip4(whole, 4)
    yield from (ip4(b"x" * 30, proto) for proto in (0, 58, 99))


def datagrams():
    whole = udp(b"abc")
    yield ip4(whole[:6] + b"\1\2" + whole[8:], 17)
    yield ip4(whole[:6] + b"\0\0" + whole[8:], 17)
    yield from (ip4(udp(b"abcdef", length=n), 17) for n in (5, 8, 9, 100))
    for operation, kind, sport, dport in ((1, 1, 68, 67), (2, 2, 67, 68)):
        yield ip4(udp(bootp(operation, kind), sport, dport), 17)


def names():
    for kind in (1, 28, 5, 15, 2, 6, 12, 16, 33, 255, 65):
        yield ip4(udp(question("www.example.com", kind), dport=53), 17)
    zone = b"\2ns\xc0\x10"
    records = [record(1, address(A)), record(28, address(A6)), record(5, b"\3foo\xc0\x10"),
               record(15, b"\0\x0a\2mx\xc0\x10"), record(16, b"\5hello\3abc"), record(2, zone),
               record(6, zone + b"\2hm\xc0\x10" + struct.pack(">5I", 1, 2, 3, 4, 5)),
               record(33, struct.pack(">HHH", 1, 2, 443) + b"\2sv\xc0\x10"), record(99, b"abc")]
    for one in records:
        yield ip4(udp(question("www.example.com", 1, 0x8180, (1, 1, 0, 0), one), 53, 4000), 17)
    yield ip4(udp(question("www.example.com", 1, 0x8580, (1, 2, 1, 1), b"".join(records[:3]) + records[5]),
                  53, 4000), 17)
    for flags in (0x8183, 0x8182, 0x8185, 0x8584, 0x8380, 0x81A0, 0x8190, 0, 0x120, 0x110, 0x8000):
        ports = (53, 4000) if flags & 0x8000 else (4000, 53)
        yield ip4(udp(question("nope.example", 1, flags), *ports), 17)
    yield ip4(udp(question("", 2), dport=53), 17)
    yield ip4(udp(b"abc", dport=53), 17)
    yield ip4(udp(question("www.example.com")[:20], dport=53), 17)
    yield ip4(udp(b"z" * 26, dport=53), 17)
    asked = question("www.example.com")
    for length in (len(asked), 7):
        yield ip4(tcp(struct.pack(">H", length) + asked, dport=53, flags=0x18, ack=4), 6)


def segments():
    for flags in list(range(64)) + [0x40, 0x80, 0xC2, 0x52, 0xFF]:
        yield ip4(tcp(b"" if flags & 1 else b"zz", 1000 + flags, flags=flags, ack=77, urgent=3), 6)
    two, four = struct.pack(">II", 1100, 1200), struct.pack(">IIII", 1100, 1200, 1300, 1400)
    for options in (b"\x02\x04\x05\xb4", b"\x02\x03\x05\x00", b"\x03\x03\x07", b"\x04\x02\1\1",
                    b"\1\1\x05\x0a" + two, b"\1\1\x05\x12" + four, b"\1\1\x08\x0a" + two, b"\x22\x02\1\1",
                    b"\x22\x0aABCDEFGH", b"\x22\x03A", b"\x22\x06ABCD", b"\xab\x0babcdefghi",
                    b"\xfe\x04\1\2", b"\x63\x06\1\2\3\4", b"\x63\x00\0\0", b"\x63\x28\0\0", b"\0\0\0\0",
                    b"\1\1\1\0", b"\x05\x02\1\1", b"\x05\x05aaa\1\1\1", b"\x08\x04\1\1",
                    b"\x04\x03\1\1", b"\x03\x04\1\1"):
        options += b"\0" * (-len(options) % 4)
        yield ip4(tcp(options=options, sport=2000), 6)
        yield ip4(tcp(options=options, sport=2001, flags=16, ack=5), 6)
        yield ip4(tcp(options=options, sport=2001, flags=16, ack=9, seq=1005), 6)
    wrong = tcp(b"abc")
    yield ip4(wrong[:16] + b"\1\2" + wrong[18:], 6)
    yield from (ip4(tcp()[:n], 6) for n in (0, 2, 4, 8, 13, 19))
    yield from (ip4(wrong[:12] + bytes([offset]) + wrong[13:], 6) for offset in (0x10, 0x40, 0xF0))


def talks():
    yield ip4(tcp(sport=3000, dport=80, seq=100), 6)
    yield ip4(tcp(sport=80, dport=3000, seq=900, ack=101, flags=0x12, src=B, dst=A), 6, B, A)
    yield ip4(tcp(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nbody", 3000, 80, 101, 901, 0x18), 6)
    for text in (b"HTTP/1.1 200 OK\r\nServer: y\r\n\r\nzz", b"just text", b"\1\2bin\r\nxx", b"GET /cut",
                 b"HEAD /x HTTP/1.0\nfoo: bar\n", b"hello there\r\nmore", b"POST \r\n", b"\r\n", b"GET\r\n",
                 b"GET"):
        yield ip4(tcp(text, 80, 3000, 950, 143, 0x18, src=B, dst=A), 6, B, A)
    yield ip4(tcp(b"bye now", 80, 3000, 950, 143, 0x14, src=B, dst=A), 6, B, A)
    for port in (21, 25, 110, 554, 8080, 8000, 443, 22):
        for seq, text in ((101, b"220 hello\r\nmore\r\n"), (120, b"USER me\r\n")):
            yield ip4(tcp(text, 3000, port, seq, 901, 0x18), 6)


def groups():
    def query(code, group, more=b""):
        return ip4(struct.pack(">BBH4s", 0x11, code, 0, address(group)) + more, 2, dst="224.0.0.1", ttl=1)
    yield from (query(100, "0.0.0.0"), query(0, "0.0.0.0"), query(100, "239.1.1.1"),
                query(100, "239.1.1.1", b"\2\x7d\0\0"))
    for kind in (0x12, 0x16, 0x17, 0x22, 0x30):
        yield ip4(igmp(struct.pack(">BBH4s", kind, 0, 0, address("239.1.1.1"))), 2, dst="239.1.1.1", ttl=1)
    for kind in (1, 2, 3, 4, 5, 6, 9):
        report = struct.pack(">BBHHHBBH4s", 0x22, 0, 0, 0, 1, kind, 0, 0, address("239.1.1.1"))
        yield ip4(igmp(report), 2, dst="224.0.0.22", ttl=1, options=ROUTER_ALERT, tos=0xC0)


def sixes():
    def six(proto, data, **more):
        return ip6(data, proto, **more)
    ends = {"src": A6, "dst": B6}
    yield six(17, udp(b"abc", **ends))
    yield six(17, udp(b"abc", has_sum=False, **ends))
    yield six(6, tcp(**ends), traffic_class=2, label=0x12345)
    yield six(6, tcp(b"GET / HTTP/1.1\r\n\r\n", dport=80, flags=0x18, ack=5, seq=1001, **ends))
    quotes = [ip6(udp(b"hello", src=B6, dst=A6), 17, B6, A6), ip6(tcp(src=B6, dst=A6), 6, B6, A6)]
    for kind, code in [(1, n) for n in range(6)] + [(2, 0), (3, 0), (3, 1), (3, 2)] + [(4, n) for n in range(4)]:
        for quote in quotes:
            yield six(58, icmp6(kind, code, struct.pack(">I", 1280), quote))
    yield from (six(58, icmp6(kind, 0, b"\0\5\0\7", b"x" * 40)) for kind in (128, 129, 150))
    long = udp(b"q" * 60, **ends)
    for first, data in ((44, struct.pack(">BBHI", 17, 0, 1, 7) + long), (44, struct.pack(">BBHI", 17, 0, 64, 7) + long),
                        (0, b"\x11\0\1\4\0\0\0\0" + long), (60, b"\x11\0\1\4\0\0\0\0" + long),
                        (43, b"\x11\2\0\1\0\0\0\0" + address("fd00::9") + long), (59, b""), (99, b"x" * 20)):
        yield six(first, data)
    yield six(4, ip4(udp(b"abc"), 17))
    yield six(41, quotes[0])


def neighbours():
    one, two, everybody = "fe80::1", "fe80::2", "ff02::1"
    source, target = b"\1\1" + MAC_A, b"\2\1" + MAC_A

    def nd(kind, rest, data, dst=two, src=one):
        return ip6(icmp6(kind, 0, rest, data, src, dst), 58, src, dst, 255)
    yield nd(135, b"\0" * 4, address(two) + source)
    yield nd(135, b"\0" * 4, address(A6), "ff02::1:ff00:1", "::")
    yield from (nd(136, bytes([flags, 0, 0, 0]), address(one) + target) for flags in (0x60, 0xE0, 0))
    yield nd(133, b"\0" * 4, source, "ff02::2")
    prefix = struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0) + address("fd00:1::")
    server = struct.pack(">BBHI", 25, 3, 0, 600) + address("fd00::53")
    route = struct.pack(">BBBBI", 24, 2, 48, 8, 600) + address("fd00:2::")[:8]
    domain = struct.pack(">BBHI", 31, 2, 0, 600) + b"\4home\0\0\0"
    mtu = b"\5\1\0\0" + struct.pack(">I", 1500)
    yield nd(134, struct.pack(">BBH", 64, 0xC0, 1800), struct.pack(">II", 30000, 1000) + source + mtu + prefix +
             server + route + domain, everybody)
    yield nd(134, struct.pack(">BBH", 0, 0x18, 0), bytes(8), everybody)
    yield nd(137, b"\0" * 4, address(two) + address("fd00::9") + target)
    yield nd(135, b"\0" * 4, address(two) + b"\1\0" + MAC_A)

    def mld(data, dst="ff02::16"):
        return ip6(b"\x3a\0\5\2\0\0\1\0" + with_transport_sum(data, 2, 58, one, dst), 0, one, dst, 1)
    group = address("ff02::fb")
    yield mld(struct.pack(">BBHHH", 143, 0, 0, 0, 1) + b"\4\0\0\0" + group)
    yield mld(struct.pack(">BBHHH", 143, 0, 0, 0, 1) + b"\1\0\0\1" + group + address("fd00::9"))
    yield mld(struct.pack(">BBHHH", 130, 0, 0, 10000, 0) + bytes(16) + b"\2\x7d\0\0", everybody)
    yield from (mld(struct.pack(">BBHHH", kind, 0, 0, 0, 0) + group, "ff02::fb") for kind in (130, 131, 132))


def quotes():
    """What ICMP errors quote, behind extension headers and cut short."""
    ends = {"src": B6, "dst": A6}
    whole = udp(b"hello", **ends)
    for quote in (ip6(icmp6(128, 0, b"\0\5\0\7", b"x" * 8, B6, A6), 58, B6, A6), ip6(b"x" * 20, 132, B6, A6),
                  ip6(struct.pack(">BBHI", 17, 0, 1, 7) + whole, 44, B6, A6), ip6(b"x" * 3, 17, B6, A6),
                  ip6(struct.pack(">BBHI", 17, 0, 64, 7) + b"q" * 20, 44, B6, A6),
                  ip6(b"\x11\0\1\4\0\0\0\0" + whole, 60, B6, A6)):
        yield from (ip6(icmp6(kind, code, struct.pack(">I", 1280), quote), 58)
                    for kind, code in ((1, 4), (1, 0), (1, 2), (2, 0), (3, 0), (4, 1)))
    plain = ip4(udp(b"hello", src=B, dst=A), 17, B, A)
    for quote in (ip4(tcp(b"hello", src=B, dst=A, options=b"\2\4\5\xb4"), 6, B, A), plain[:24], plain[:12],
                  ip4(udp(b"hello", src=B, dst=A), 17, B, A, options=ROUTER_ALERT),
                  ip4(udp(question("www.example.com"), 4000, 53), 17, B, A),
                  ip4(icmp(8, 0, b"\0\1\0\2", b"abc"), 1, B, A), ip4(udp(b"q" * 20), 17, B, A, offset=0x20B9)):
        yield from (ip4(icmp(kind, code, address("10.0.0.9") if kind == 5 else b"\0\0\5\x78", quote), 1)
                    for kind, code in ((3, 3), (3, 1), (3, 2), (3, 4), (11, 0), (12, 0), (5, 1), (4, 0)))


def rarer():
    """Lists with more than one entry, kinds that nobody knows, options of all kinds."""
    one, two, everybody = "fe80::1", "fe80::2", "ff02::1"
    first, second, source = address("ff02::fb"), address("ff15::1"), address("fd00::9")

    def nd(kind, rest, data, dst=two):
        return ip6(icmp6(kind, 0, rest, data, one, dst), 58, one, dst, 255)

    def router(flags, options, reachable=0):
        return nd(134, struct.pack(">BBH", 64, flags, 1800), struct.pack(">II", reachable, 0) + options, everybody)

    def mld(head, data, dst="ff02::16"):
        message = with_transport_sum(struct.pack(">BBHHH", *head) + data, 2, 58, one, dst)
        return ip6(b"\x3a\0\5\2\0\0\1\0" + message, 0, one, dst, 1)
    yield mld((143, 0, 0, 0, 3), b"\4\0\0\0" + first + b"\5\0\0\2" + second + source * 2 + b"\6\0\0\1" + first + source)
    yield mld((143, 0, 0, 0, 1), b"\x09\0\0\0" + first)
    yield mld((143, 0, 0, 0, 1), b"\3\1\0\0" + first + b"abcd")
    yield mld((130, 0, 0, 0x9234, 0), second + b"\x0a\x8d\0\2" + source * 2, everybody)
    yield mld((130, 0, 0, 0, 0), second + bytes(4), everybody)
    for option in (b"\x0e\1abcdef", b"\x63\1abcdef", b"\x63\2abcdef12345678", b"\2\2" + MAC_A + bytes(8), b""):
        yield nd(136, bytes(4), address(two) + option)
    yield router(0xE8, struct.pack(">BBHI", 25, 5, 0, 0xFFFFFFFF) + address("fd00::53") + source, 30000)
    yield router(0x58, struct.pack(">BBHI", 31, 3, 0, 0) + b"\4home\4arpa\0\3lan\0\0\0")
    yield router(8, struct.pack(">BBBBI", 24, 1, 0, 0x18, 0xFFFFFFFF) + struct.pack(">BBBBI", 24, 3, 64, 0, 9) + source)
    yield router(8, struct.pack(">BBBBIII", 3, 4, 64, 0xE0, 0xFFFFFFFF, 0, 0) + source)
    yield router(8, b"\7\1\0\0\0\0\x27\x10" + b"\x08\1\0\1\0\x10\0\x20")
    # tcpdump leaves off behind an option that it does not know; weir dump goes on.
    yield router(8, b"\x26\2\x0e\x10" + source[:12])
    yield router(8, b"\x25\3\0\0https://a.b/c" + bytes(7))
    yield from (nd(kind, bytes(4), b"") for kind in (0, 100, 160))


def packets():
    for kind in (icmps, headers, datagrams, names, segments, talks, groups):
        yield from kind()
    yield from sixes()
    yield from neighbours()
    yield from quotes()
    yield from rarer()


def cuts(frames, begin):
    """(what was captured, its length on the wire), cut behind each byte of the headers."""
    return [(frame[:n], len(frame)) for frame in frames for n in range(begin, min(len(frame), 100))]


def framed(packet):
    return ether(packet, 0x86DD if packet[0] >> 4 == 6 else 0x800)


def printed(program, path, *options, only=()):
    done = subprocess.run([*program, "-n", *options, "-r", path, *only], stdout=subprocess.PIPE, timeout=60,
                          stderr=subprocess.PIPE, check=False, env={**os.environ, "TZ": "UTC"})
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode("latin-1").splitlines()


@unittest.skipUnless(shutil.which("tcpdump"), "no tcpdump (make setup)")
class LikeTcpdump(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def same(self, path, *options, only=()):
        theirs = printed(["tcpdump"], path, *options, only=only)
        ours = printed([WEIR, "dump"], path, *options, only=only)
        differ = [(a, b) for a, b in zip(theirs, ours) if a != b]
        self.assertEqual([], differ[:3])
        self.assertEqual(len(theirs), len(ours))
        self.assertTrue(ours)

    def made(self, name, made, **how):
        path = os.path.join(self.folder.name, name)
        pcap(path, list(made), **how)
        return path

    def test_ethernet(self):
        path = self.made("ether", [*arps(), *map(framed, packets())])
        for options in ((), ("-e",), ("-S",), ("-t",), ("-tt",), ("-ttt",), ("-tttt",), ("-ttttt",), ("-#",)):
            with self.subTest(options):
                self.same(path, *options)

    def test_verbose(self):
        """tcpdump opens DHCP further with -v."""
        made = [p for kind in (icmps, headers, names, segments, talks, groups, sixes) for p in kind()]
        path = self.made("verbose", [*arps(), *map(framed, made)])
        for options in (("-v",), ("-vv",), ("-ev",), ("-vK",)):
            with self.subTest(options):
                self.same(path, *options)
        more = [p for kind in (neighbours, rarer, quotes) for p in kind()]
        for option in ("-v", "-vv"):
            self.same(self.made("more", map(framed, more)), option)

    def test_bytes(self):
        made = [p for kind in (datagrams, talks, sixes) for p in kind() if not (p[0] >> 4 == 6 and p[6] == 58)]
        path = self.made("bytes", map(framed, made))
        for options in (("-x",), ("-xx",), ("-X",), ("-XX",), ("-A",), ("-AA",)):
            with self.subTest(options):
                self.same(path, *options)

    def test_other_links(self):
        made = list(packets())
        family = [(b"\2" if p[0] >> 4 == 4 else b"\x18") + b"\0\0\0" + p for p in made]
        cooked = [b"\0\4\0\1\0\6" + MAC_A + b"\0\0" + framed(p)[12:] for p in made]
        for name, link, frames in (("raw", 101, made), ("null", 0, family), ("sll", 113, cooked)):
            path = self.made(name, frames, link=link)
            for options in ((), ("-e",)):
                with self.subTest(name=name, options=options):
                    self.same(path, *options)

    def test_filters(self):
        path = self.made("filters", [*arps(), *map(framed, packets())])
        everything = len(printed([WEIR, "dump"], path))
        for words in (["arp"], ["tcp", "port", "80"], ["icmp", "or", "icmp6"], ["ip6", "and", "not", "udp"],
                      ["host", B, "and", "tcp[tcpflags] & tcp-syn != 0"]):
            with self.subTest(words):
                self.same(path, only=words)
                self.assertLess(len(printed([WEIR, "dump"], path, only=words)), everything)

    def test_the_gallery(self):
        names_of_all = sorted(n[:-4] for n in os.listdir(os.path.join(SOURCE, "scenarios")) if n.endswith(".lua"))
        for name in sorted({*names_of_all[::4], *TELLING} - {"udp-through-nat"}):
            path = os.path.join(self.folder.name, "gallery.pcapng")
            subprocess.run([WEIR, "lab", "run", name, "--pcapng", path], stdout=subprocess.DEVNULL, timeout=120,
                           check=True)
            with self.subTest(name):
                if os.path.getsize(path) < 5 << 20:
                    self.same(path, "-c", "2000", only=NOT_OPENED)
                    self.same(path, "-ev", "-c", "300", only=NOT_OPENED)

    def test_what_is_cut_short_is_said_in_the_same_words(self):
        """Each packet at each length of its headers."""
        made = list(packets())
        whole = [*[f for f in arps() if f[12:14] in (b"\x08\x06", b"\x80\x35")], *map(framed, made)]
        for link, begin, frames in (("ether", 14, whole), ("raw", 1, made)):
            path = self.made(link, cuts(frames, begin), link=1 if link == "ether" else 101)
            with self.subTest(link):
                self.same(path)

    def test_what_is_cut_short_is_said_in_the_same_words_verbosely(self):
        """From the transport header on; tcpdump has words of its own for IPv4's options that are cut."""
        for name, kinds, begin, options in (("tcp", (segments, talks), 54, ("-v",)), ("six", (sixes, neighbours, rarer), 54, ("-v",)),
                                            ("groups", (groups,), 38, ("-v", "-vv")), ("names", (names,), 38, ("-v", "-vv"))):
            path = self.made(name, cuts(map(framed, [p for kind in kinds for p in kind()]), begin))
            for option in options:
                with self.subTest(name, option=option):
                    self.same(path, option)

    def test_what_is_cut_short_is_not_read_behind(self):
        """Sanitizers judge; the words are ours."""
        for snap in range(14, 100):
            path = self.made("cut", [*arps(), *map(framed, packets())], snap=snap)
            lines = printed([WEIR, "dump"], path, "-evv", "-L")
            self.assertLess(500, len(lines))


class OurOwn(unittest.TestCase):
    """What this tcpdump does not know, in words of our own."""

    def test_accurate_ecn(self):
        counters = bytes([0, 0, 101, 1, 0, 0, 255, 255, 255])
        rows = ((172, counters, "accecn0 e0b 101 ceb 65536 e1b 16777215,nop"),
                (174, counters[:6], "accecn1 e1b 101 ceb 65536"), (172, counters[:3], "accecn0 e0b 101,nop,nop,nop"),
                (174, b"", "accecn1,nop,nop"), (172, counters[:4], "accecn0 e0b 101[len 6],nop,nop"))
        made = [ip4(tcp(options=bytes([kind, 2 + len(value)]) + value + b"\1" * (-(2 + len(value)) % 4)), 6)
                for kind, value, _ in rows]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "own.pcap")
            pcap(path, map(framed, made))
            lines = printed([WEIR, "dump"], path)
            ladder = subprocess.run([WEIR, "explain", "--ladder", "1", path], stdout=subprocess.PIPE, timeout=60, text=True,
                                    check=False).stdout
        for (_, _, words), line in zip(rows, lines):
            self.assertIn(f"options [{words}], length", line)
        self.assertIn(" accecn1 e1b 101 ceb 65536", ladder)


if __name__ == "__main__":
    tap.main()
