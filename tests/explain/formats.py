"""weir explain reads every format, and says where a damaged file ends."""
import json
import struct
import unittest

import caps
import tap


class Formats(unittest.TestCase):
    talk = caps.Talk().open().a("PA", 1, 1, 500).b("A", 1, 501, after=0.01).close(501, 1)

    def is_read(self, data, packets=9):
        status, out, err = caps.explain(data, "--json")
        self.assertEqual((status, err), (0, ""), out)
        answer = json.loads(out)
        [found] = answer["connections"]
        self.assertEqual((found["ends"][0]["bytes"], found["ends"][1]["port"]), (500, 80))
        self.assertEqual((answer["summary"]["segments"], answer["summary"]["trouble"]), (packets, None))
        self.assertAlmostEqual(found["ends"][0]["rtt"]["min"], 0.01, 5)
        return answer

    def test_pcap(self):
        for order in "<>":
            for magic in (0xa1b2c3d4, 0xa1b23c4d):
                answer = self.is_read(caps.pcap(self.talk.packets, order, magic))
                self.assertEqual(answer["format"], "pcap" if magic == 0xa1b2c3d4 else "pcap (ns)")

    def test_pcapng(self):
        for order in "<>":
            self.assertEqual(self.is_read(caps.pcapng(self.talk.packets, order))["format"], "pcapng")

    def test_pcapng_without_times(self):
        status, out, _ = caps.explain(caps.pcapng(self.talk.packets, kind=3), "--json")
        self.assertEqual((status, json.loads(out)["summary"]["segments"]), (0, 9))

    def test_links(self):
        def sll(p):
            return bytes(14) + b"\x08\x00" + p

        def sll2(p):
            return b"\x08\x00" + bytes(18) + p

        for link, frame in ((1, caps.ethernet), (1, lambda p: caps.ethernet(p, b"\x81\x00\x00\x05")),
                            (1, lambda p: caps.ethernet(p, b"\x88\xa8\x00\x05\x81\x00\x00\x06")), (113, sll), (276, sll2),
                            (0, lambda p: b"\x02\0\0\0" + p), (108, lambda p: b"\0\0\0\x02" + p), (228, bytes), (12, bytes)):
            with self.subTest(link=link):
                self.is_read(caps.pcap(self.talk.packets, link=link, frame=frame))

    def test_ethernet_padding_is_no_text(self):
        self.is_read(caps.pcap(self.talk.packets, link=1, frame=lambda p: caps.ethernet(p).ljust(60, b"\0")))

    def test_ipv6(self):
        talk = caps.Talk(("fd00::1", 40000), ("fd00::2", 80)).open().a("PA", 1, 1, 500).b("A", 1, 501, after=0.01).close(501, 1)
        self.is_read(caps.pcap(talk.packets, link=1, frame=caps.ethernet))

        def options(p):  # hop by hop before TCP
            return p[:4] + struct.pack("!H", len(p) - 40 + 8) + b"\0" + p[7:40] + b"\x06\0" + bytes(6) + p[40:]
        self.is_read(caps.pcap(talk.packets, frame=options))

    def test_cut_packets(self):
        data = caps.pcap([])
        for at, packet in self.talk.packets:  # a snap length that leaves the headers only
            data += struct.pack("<IIII", 0, round(at * 1e6), min(len(packet), 64), len(packet)) + packet[:64]
        self.is_read(data)

    def test_what_is_not_tcp(self):
        udp = bytearray(self.talk.packets[0][1])
        udp[9] = 17
        fragment = bytearray(self.talk.packets[0][1])
        fragment[6:8] = b"\x00\x10"
        status, out, _ = caps.explain(caps.pcap(self.talk.packets + [(9, bytes(udp)), (9, bytes(fragment)), (9, b"\x45")]))
        self.assertEqual(status, 0)
        self.assertIn("12 packets", out)
        self.assertIn("1 of them not TCP, 1 fragments, 1 cut before the TCP header's end", out)

    def part(self, data):
        status, out, err = caps.explain(data)
        self.assertEqual((status, err), (1, ""))
        return out

    def test_cut_short(self):
        for data in (caps.pcap(self.talk.packets), caps.pcapng(self.talk.packets)):
            for cut in (1, 17, 50):
                out = self.part(data[:-cut])
                self.assertRegex(out, r"read in part only: it is cut short, \d+ bytes into the file, behind packet 8\.")

    def test_every_cut_is_survived(self):
        for data in (caps.pcap(self.talk.packets[:2]), caps.pcapng(self.talk.packets[:2])):
            for cut in range(0, len(data), 7):
                status, _, err = caps.explain(data[:cut])
                self.assertIn(status, (0, 1, 2))
                self.assertNotRegex(err, "Sanitizer|runtime error")

    def test_damage(self):
        data = bytearray(caps.pcap(self.talk.packets))
        data[24 + 8:24 + 12] = b"\xff\xff\xff\x7f"
        self.assertIn("damaged: a record claims an impossible length", self.part(bytes(data)))
        data = bytearray(caps.pcapng(self.talk.packets))
        data[-4] ^= 1
        self.assertIn("damaged: the two lengths of a block differ", self.part(bytes(data)))
        self.assertIn("8 packets", self.part(bytes(data)))

    def test_no_capture(self):
        for data, said in ((b"", "only 0 bytes"), (b"GIF89a....", "neither pcap nor pcapng")):
            status, out, err = caps.explain(data)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(said, err)

    def test_two_interfaces_that_saw_the_same(self):
        order = "<"
        data = caps.pcapng([])
        data += caps.block(order, 1, struct.pack("<HHI", 101, 0, 0) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
        for at, packet in self.talk.packets:
            for iface in (0, 1):
                ns = round((at + iface * 0.005) * 1e9)
                data += caps.block(order, 6, struct.pack("<IIIII", iface, ns >> 32, ns & 0xffffffff, len(packet), len(packet)) + packet)
        self.assertEqual(self.is_read(data)["summary"]["elsewhere"], 9)

    def test_unknown_link(self):
        _, out, _ = caps.explain(caps.pcap(self.talk.packets, link=147))
        self.assertIn("9 of a link type that is not known here", out)


class Usage(unittest.TestCase):
    def test_mistakes(self):
        for words, said in (([], "Usage"), (["x.pcap", "prot", "5"], "a filter is"), (["x.pcap", "port", "0"], "no port"),
                            (["--lader", "1", "x"], "unknown option"), (["--top", "-1", "x"], "no number"),
                            (["/nonexistent.pcap"], "No such file")):
            done = caps.subprocess.run([caps.WEIR, "explain", *words], capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(said, done.stderr)

    def test_filters_and_top(self):
        many = []
        for port in range(40000, 40030):
            talk = caps.Talk(("10.0.0.1", port), ("10.0.0.2", 80 + port % 2))
            many += talk.open().close().packets
        data = caps.pcap(many)
        self.assertIn("30 connections: 30 fine", caps.explain(data)[1])
        self.assertEqual(caps.explain(data, "--top", 5)[1].count("\n#"), 5)
        self.assertEqual(caps.explain(data, "--top", 0)[1].count("\n#"), 30)
        self.assertIn("15 connections", caps.explain(data, "port", 81)[1])
        self.assertIn("1 connection", caps.explain(data, "host", "10.0.0.1", "and", "port", 40003)[1])
        self.assertIn("0 connections", caps.explain(data, "host", "10.0.0.9")[1])


if __name__ == "__main__":
    tap.main()
