#!/usr/bin/env python3
"""weir packetdrill itself: what it says of scripts that fail or can not be read, its options, its
exits. The stack's behaviour is in the *.pkt; here a script is only as long as the message needs.
"""
import json
import os
import subprocess
import tempfile
import unittest

import tap

WEIR = os.environ["WEIR"]
OPEN = """0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 4
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, text, name="x.pkt"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path

    def play(self, *arguments):
        """(exit status, output) of the verb in the scripts' folder."""
        answer = subprocess.run([WEIR, "packetdrill", *arguments], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                check=False)
        return answer.returncode, answer.stdout

    def script(self, text, *arguments):
        self.write(text)
        return self.play(*arguments, "x.pkt")

    def assert_fails(self, text, *said):
        status, output = self.script(text)
        self.assertEqual(status, 1, output)
        for part in said:
            self.assertIn(part, output)

    def assert_unreadable(self, text, said):
        status, output = self.script(text)
        self.assertEqual((status, output.split("\n")[0]), (2, said))


class Failures(Case):
    def test_a_field_that_differs(self):
        status, output = self.script(OPEN + "+0 write(4, ..., 1000) = 1000\n+0 > P. 1:901(900) ack 1\n")
        self.assertEqual(status, 1)
        self.assertEqual(output, """x.pkt:9:4: sequence: not as expected
      9 | +0 > P. 1:901(900) ack 1
  expected: > P. 1:901(900) ack 1
  actual:   > P. 1:1001(1000) ack 1
                 ^~~~~~~~~~~~
""")

    def test_flags_that_differ(self):
        self.assert_fails(OPEN + "+0 close(4) = 0\n+0 > . 1:1(0) ack 1\n",
                          "x.pkt:9:4: flags: not as expected", "actual:   > F. 1:1(0) ack 1")

    def test_a_window_that_differs(self):
        self.assert_fails(OPEN + "+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1 win 5\n",
                          "x.pkt:9:4: window: not as expected", "win 65535")

    def test_options_that_differ(self):
        self.assert_fails(OPEN + "+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1 <nop,nop,sackOK>\n",
                          "x.pkt:9:4: options: not as expected", "  expected: > P. 1:2(1) ack 1 <nop,nop,sackOK>")

    def test_options_are_compared_where_the_script_has_none(self):
        self.assert_fails("0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, 0) = 3\n"
                          "+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0)\n",
                          "options: not as expected", "<mss 1460,sackOK,")

    def test_another_connection(self):
        self.assert_fails(OPEN + "+0 < 77 > 8080 S 0:0(0) win 100\n+0 write(4, ..., 1) = 1\n"
                          "+0 > 8080 > 77 S. 0:0(0) ack 1 <...>\n+0 > P. 1:2(1) ack 1\n",
                          "x.pkt:11:4: ports: not as expected", "> 8080 > 40001 P. 1:2(1) ack 1")

    def test_silence(self):
        self.assert_fails(OPEN + "+0 > P. 1:2(1) ack 1\n",
                          "x.pkt:8:4: nothing was sent by 0.104000, nor in 300 s after")

    def test_too_late(self):
        self.assert_fails(OPEN + "+0 write(4, ..., 1) = 1\n+0 > P. 1:2(1) ack 1\n+.1 > P. 1:2(1) ack 1\n",
                          "x.pkt:10:5: nothing was sent by 0.204000; the next came at 0.400000",
                          "// retransmission timeout 1 of 15")

    def test_too_early(self):
        self.assert_fails(OPEN + "+0 write(4, ..., 1) = 1\n+.1 > P. 1:2(1) ack 1\n",
                          "x.pkt:9:5: sent at 0.100000, too early: expected at 0.200000 (tolerance 0.004000)")

    def test_a_result(self):
        self.assert_fails("0 socket(..., SOCK_STREAM, 0) = 3\n+0 listen(3, 1) = -1 EINVAL\n",
                          "x.pkt:2:4: listen: result: not as expected",
                          "  expected: listen(3, 1) = -1 EINVAL", "  actual:   listen(3, 1) = 0")

    def test_an_errno(self):
        self.assert_fails("0 read(9, ..., 1) = -1 EAGAIN\n", "= -1 EBADF (Bad file descriptor)")

    def test_a_call_that_waits(self):
        self.assert_fails(OPEN + "+0 read(4, ..., 1) = 1\n", "x.pkt:8:4: read waits; a call that waits")

    def test_a_call_that_ends_late(self):
        self.assert_fails(OPEN + "+0...0.1 read(4, ..., 1) = 1\n+.2 < P. 1:2(1) ack 1 win 100\n",
                          "x.pkt:8:10: read still waits; expected to end at 0.200000")

    def test_a_call_that_ends_early(self):
        self.assert_fails(OPEN + "+0...0.3 read(4, ..., 1) = 1\n+.2 < P. 1:2(1) ack 1 win 100\n",
                          "x.pkt:8:10: read ended at 0.300000, expected at 0.400000")

    def test_an_assertion(self):
        self.assert_fails(OPEN + "+0 %{ x = 2\nassert tcpi_snd_cwnd == x * 4, tcpi_snd_cwnd }%\n",
                          "x.pkt:9:8: assert tcpi_snd_cwnd == x * 4: tcpi_snd_cwnd is 10, x is 2")

    def test_ready_events(self):
        self.assert_fails(OPEN + "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1\n",
                          "x.pkt:8:4: poll: item 0: expected POLLIN, got POLLOUT")

    def test_an_option_value(self):
        self.assert_fails("0 socket(..., SOCK_STREAM, 0) = 3\n"
                          "+0 getsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], [4]) = 0\n",
                          "getsockopt: value: expected 1, got 0")

    def test_a_packet_too_many_when_strict(self):
        text = OPEN + "+0 write(4, ..., 1) = 1\n"
        self.assertEqual(self.script(text)[0], 0)
        status, output = self.script(text, "--strict")
        self.assertEqual(status, 1)
        self.assertIn("the script ends, and a packet was not expected", output)
        self.assertIn("P. 1:2(1) ack 1", output)


class Unreadable(Case):
    def test_places_and_words(self):
        for text, said in (
                ("0 sockets(1) = 3\n", "x.pkt:1:3: the call 'sockets' is not known here"),
                ("0 listen(1) = 3\n", "x.pkt:1:3: listen takes 2 arguments, not 1"),
                ("0 listen(3 1) = 3\n", "x.pkt:1:12: expected ',' or ')' behind an argument, got '1'"),
                ("\n\n+x", "x.pkt:3:2: expected a time such as 0.1, +0.1 or *, got 'x'"),
                ("0 < S 0:1(0) win 5", "x.pkt:1:7: 0 plus length 0 is 0, not 1"),
                ("0 < S 0:0(0)", "x.pkt:1:5: an inbound segment needs its window: 'win N'"),
                ("0 < . 0:0(0) win 4", "x.pkt:1:5: the flag '.' without 'ack N'"),
                ("0 < SS 0:0(0) win 4", "x.pkt:1:5: flag 'S' stands twice or beside '-'"),
                ("0 < S 0:0(0) win 4 <mms 5>", "x.pkt:1:21: expected an option: mss, wscale, sackOK, "
                 "sack, TS, ECN, nop, eol, FO or md5, got 'mms'"),
                ("0 < S 0:0(0) win 4 <nop>", "x.pkt:1:20: options of 1 bytes: expected a multiple of "
                 "4, at most 40; fill up with nop"),
                ("0 socket(1, SOCK_STREM, 0) = 3", "x.pkt:1:13: unknown name 'SOCK_STREM': did you "
                 "mean 'SOCK_STREAM'?"),
                ("0 close(3) = -1 EBADFD", "x.pkt:1:17: expected an errno such as EAGAIN, got 'EBADFD'"),
                ("0...1 < S 0:0(0) win 4", "x.pkt:1:1: only a call can wait: 'begin...end' belongs "
                 "before a call"),
                ("0~1 < S 0:0(0) win 4", "x.pkt:1:1: only an outbound packet may come at any time or in "
                 "a range"),
                ("1~0 > S 0:0(0)", "x.pkt:1:2: the time range ends before it begins"),
                ("99999999 close(3) = 0", "x.pkt:1:1: a time such as 0.1, +0.1 or * must be below 10000000 s"),
                ("`ls", "x.pkt:1:1: ` is never closed by `"),
                ("0 %{ }", "x.pkt:1:3: %{ is never closed by }%"),
                ("/* no end", "x.pkt:1:1: the comment is never closed"),
                ("--nonsense=1", "x.pkt:1:1: unknown option --nonsense"),
                ("--ip_version=5", "x.pkt:1:1: --ip_version=5: expected ipv4, ipv6 or ipv4-mapped-ipv6"),
                ("--ip_version=ipv6\n--local_ip=10.0.0.1", "x.pkt:2:1: --local_ip=10.0.0.1: expected an "
                 "IPv6 address; one of IPv4 is for --ip_version=ipv4"),
                ("--ip_version=ipv6\n0 < icmp source_quench [1:2(1)]", "x.pkt:2:3: there is no such ICMP message in IPv6"),
                ("0 < icmp packet_too_big mtu 1300 [1:2(1)]", "x.pkt:1:3: there is no such ICMP message in IPv4"),
                ("0 %{ assert 1 + }%", "x.pkt:1:17: expected a number, a name or '('"),
                ("0 %{ assert foo }%", "x.pkt:1:16: unknown name 'foo'"),
        ):
            with self.subTest(text=text):
                self.assert_unreadable(text, said)

    def test_a_file_that_is_not_there(self):
        status, output = self.play("gone.pkt")
        self.assertEqual((status, output), (2, "gone.pkt:1:1: No such file or directory\n"))

    def test_an_option_that_is_not_there(self):
        self.assertEqual(self.play("--what", "x.pkt")[0], 2)


class Ways(Case):
    def test_several_files(self):
        self.write(OPEN, "a.pkt")
        self.write("0 close(3) = 0\n", "b.pkt")
        status, output = self.play(".")
        self.assertEqual(status, 1)
        self.assertIn("./a.pkt: passed\n./b.pkt:1:3: close: result", output)
        self.assertTrue(output.endswith("1 passed, 1 failed\n"))

    def test_json(self):
        self.write(OPEN, "a.pkt")
        self.write("0 close(3) = \"", "b.pkt")
        status, output = self.play("-j", "a.pkt", "b.pkt")
        answer = json.loads(output)
        self.assertEqual(status, 2)
        self.assertEqual([s["result"] for s in answer["scripts"]], ["passed", "syntax"])
        self.assertEqual(answer["scripts"][1]["line"], 1)

    def test_tap(self):
        self.write("0 close(3) = 0\n", "b.pkt")
        output = self.play("--tap", "b.pkt")[1]
        self.assertTrue(output.startswith("1..1\n# b.pkt:1:3: close"))
        self.assertTrue(output.endswith("not ok 1 - b.pkt\n"))

    def test_dry_run_plays_nothing(self):
        self.assertEqual(self.script("0 close(3) = 0\n", "--dry_run"), (0, "x.pkt: passed\n"))

    def test_verbose(self):
        output = self.script(OPEN, "-v")[1]
        self.assertIn("    0.000000 > S. 0:0(0) ack 1 <...>\n", output)
        self.assertIn("    0.100000 accept(3, ..., ...)\n", output)

    def test_words(self):
        self.assertEqual(self.script("0 socket(..., $KIND, 0) = 3\n", "-D", "KIND=SOCK_DGRAM")[0], 0)

    def test_tolerance(self):
        text = OPEN + "+0 write(4, ..., 1) = 1\n+.002 > P. 1:2(1) ack 1\n"
        self.assertEqual(self.script(text)[0], 0)
        self.assertEqual(self.script(text, "--tolerance_usecs=1999")[0], 1)
        self.assertEqual(self.script("--tolerance_usecs=1999\n" + text)[0], 1)

    def test_any_time_and_ranges(self):
        text = OPEN + "+0 write(4, ..., 1) = 1\n* > P. 1:2(1) ack 1\n+.2~+.3 > P. 1:2(1) ack 1\n"
        self.assertEqual(self.script(text)[0], 0)
        self.assertEqual(self.script(text.replace("+.3", "+.25"))[0], 1)

    def test_a_superframe_stands_for_its_segments(self):
        text = OPEN.replace("win 1000", "win 10000") + \
            "+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1\n"
        self.assertEqual(self.script(text)[0], 0)
        self.assertEqual(self.script(text, "--strict")[0], 1)

    def test_shell_lines(self):
        status, output = self.script("`../common/defaults.sh\nsysctl -q net.ipv4.tcp_sack=0\n"
                                     "sysctl -q net.ipv4.tcp_no_such=1; tc qdisc add`\n" + OPEN)
        self.assertEqual(status, 0)
        self.assertEqual(output, "note: line 1: no knob 'net.ipv4.tcp_no_such' here; left out\n"
                         "note: line 1: no shell runs here; 'tc' left out\nx.pkt: passed\n")

    def test_shell_line_with_a_bad_value(self):
        self.assert_fails("`sysctl -q net.ipv4.tcp_sack=7`\n", "net.ipv4.tcp_sack = 7: out of range")

    def test_ipv4_mapped(self):
        self.assertEqual(self.script("--ip_version=ipv4-mapped-ipv6\n" + OPEN)[0], 0)

    def test_help(self):
        status, output = self.play("--help")
        self.assertEqual(status, 0)
        self.assertIn("usage: weir packetdrill", output)


if __name__ == "__main__":
    tap.main()
