"""weir dump of a stack that runs: what it prints and writes is what tcpdump would."""
import os
import re
import shutil
import subprocess

import craft
import rig
import tap
from watching import Watched, ask


class Dump(Watched):
    def watch(self, *options):
        """A weir dump that listens already."""
        dump = self.start(rig.WEIR, "dump", *options)
        dump.wait_for("listening", "err")
        return dump

    def test_it_prints_what_passes(self):
        _, own, port, connection = self.talk()
        dump = self.watch("-n", "-t", "--why", "-c", "2", "tcp", "port", port)
        connection.sendall(b"hello")
        self.assertEqual(dump.exit(), 0, dump.err)
        data = rf"IP 127\.0\.0\.1\.{port} > 127\.0\.0\.1\.{own}: Flags \[P\.\], seq \d+:\d+, ack \d+, win \d+, .*length 5"
        self.assertRegex(dump.out, data)
        self.assertRegex(dump.out, rf"(?m)^IP 127\.0\.0\.1\.{own} > 127\.0\.0\.1\.{port}: Flags \[\.\], ack \d+, .*length 0$")
        self.assertRegex(dump.out, r"(?m)^    why: \w")
        self.assertRegex(dump.err, r"(?m)^2 packets captured\n0 packets dropped")

    def test_it_writes_what_tcpdump_reads(self):
        program, own, port, connection = self.talk()
        path = self.path("live.pcapng")
        dump = self.watch("-w", path)
        connection.sendall(b"hello")
        connection.close()
        program.child.stdin.close()
        self.end_well(program)
        self.assertEqual(dump.exit(), 0, dump.err)  # the stack is gone, so is what there is to see
        read = subprocess.run([rig.WEIR, "dump", "-n", "-r", path], capture_output=True, text=True, check=True).stdout
        self.assertRegex(read, rf"127\.0\.0\.1\.{port} > 127\.0\.0\.1\.{own}: Flags \[FP?\.\]")
        if shutil.which("tcpdump"):
            theirs = subprocess.run(["tcpdump", "-n", "-r", path], capture_output=True, text=True, check=True).stdout
            self.assertEqual(theirs, read)

    def test_an_interrupt_ends_it_and_the_stack_goes_on(self):
        _, _, port, connection = self.talk()
        dump = self.watch("port", port)
        dump.signal(2)
        self.assertEqual(dump.exit(), 0, dump.err)
        connection.sendall(b"more")
        self.assertRegex(ask("ss", "-tnH", "dport", "=", ":" + port).stdout, "^ESTAB")
        again = self.watch("-c", "1", "port", port)
        connection.sendall(b"and more")
        self.assertEqual(again.exit(), 0, again.err)

    def test_mistakes(self):
        for words, status, said in ((["-c", "0"], 2, "-c wants a number"), (["--wy"], 2, "did you mean '--why'"),
                                    (["port"], 2, "no filter: "), (["-r", "/nowhere"], 2, "/nowhere"),
                                    (["-r", "x", "-w", "y"], 2, "-r reads a file"), ([], 1, "no stack is running")):
            with self.subTest(words):
                answer = ask("dump", *words)
                self.assertEqual(answer.returncode, status, answer.stderr)
                self.assertIn(said, answer.stderr)
                self.assertEqual(answer.stderr.count("\n"), 1)
                self.assertEqual(answer.stdout, "")

    def test_layers(self):
        """Every field of an ICMP error has its row, in order, at its place."""
        path = self.path("error.pcap")
        quote = craft.ip4(craft.udp(b"hello"), 17)
        craft.pcap(path, [craft.ether(craft.ip4(craft.icmp(3, 4, b"\0\0\x05\x78", quote), 1))])
        rows = [line.split()[0] for line in ask("dump", "-L", "-r", path).stdout.splitlines()[1:] if line[4:9].strip().isdigit()]
        self.assertEqual(rows, "0 6 12 14 15 16 18 20 22 23 24 26 30 34 35 36 38".split())

    def test_a_segment_in_a_datagram_in_a_frame(self):
        """ROW:133: each layer has its heading; its fields follow each other without a gap and hold the frame's bytes."""
        path = self.path("segment.pcap")
        segment = craft.tcp(b"GET /\r\n", flags=0x18, ack=5, options=bytes.fromhex("0101080a0000000100000002"))
        frame = craft.ether(craft.ip4(segment, 6))
        craft.pcap(path, [frame])
        layers, fields = [], {}
        for line in ask("dump", "-L", "-r", path).stdout.splitlines()[1:]:
            row = re.match(r"\s+(\d+)  ((?:[0-9a-f]{2} )+) *(\S.*?)  +(.*)", line)
            if not row:
                layers += [line.strip()] * bool(line.strip())
                continue
            at, data = int(row[1]), bytes.fromhex(row[2])
            self.assertEqual(frame[at:at + len(data)], data)
            fields[at] = row[3], row[4]
        self.assertEqual(layers, ["Ethernet frame, 14 bytes of header", "IP datagram, version 4", "TCP segment", "data, 7 bytes"])
        self.assertEqual(list(fields), [0, 6, 12, 14, 15, 16, 18, 20, 22, 23, 24, 26, 30, 34, 36, 38, 42, 46, 47, 48, 50, 52, 54, 55, 56])
        for at, said in ((0, ("destination", "02:00:00:00:01:02")), (12, ("type", "0x0800, IPv4")), (16, ("total length", "59 bytes")),
                         (23, ("protocol", "6, TCP")), (26, ("source", "10.0.0.1")), (34, ("source port", "4000")),
                         (36, ("destination port", "5000")), (47, ("flags", "PSH ACK")), (56, ("option", "TS val 1 ecr 2"))):
            self.assertEqual(fields[at], said)


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    tap.main()
