"""weir dump of a stack that runs: what it prints and writes is what tcpdump would."""
import os
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


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    tap.main()
