"""weir ping: by a running stack and with one of its own, in the words and exit statuses of ping(8);
and the kernel's ping to weir."""
import re
import signal
import subprocess

import lan
import rig
import tap

REPLY = r"^64 bytes from 10\.77\.0\.1: icmp_seq=%d ttl=64 time=\d+(\.\d+)? ms$"
TIMES = r"^rtt min/avg/max/mdev = (\d+\.\d{3})/(\d+\.\d{3})/(\d+\.\d{3})/(\d+\.\d{3}) ms$"


class Ping:
    """What is the same by both ways."""

    def ping(self, *words):
        return self.start(rig.WEIR, "ping", *self.way, *words)

    def outcome(self, *words, status=0):
        program = self.ping(*words)
        self.assertEqual(program.exit(), status, program.out + program.err)
        self.assertNotRegex(program.err, rig.SANITIZER)
        return program.out

    def test_three_requests(self):
        lines = self.outcome("-c", "3", "-i", "0.01", lan.KERNEL).splitlines()
        self.assertEqual(lines[0], "PING 10.77.0.1 (10.77.0.1) 56(84) bytes of data.")
        for number in (1, 2, 3):
            self.assertRegex(lines[number], REPLY % number)
        self.assertEqual(lines[4:6], ["", "--- 10.77.0.1 ping statistics ---"])
        self.assertRegex(lines[6], r"^3 packets transmitted, 3 received, 0% packet loss, time \d+ms$")
        least, mean, most, _ = map(float, re.match(TIMES, lines[7]).groups())
        self.assertTrue(least <= mean <= most, lines[7])
        self.assertEqual(len(lines), 8)

    def test_quiet(self):
        lines = self.outcome("-q", "-c", "2", "-i", "0.01", lan.KERNEL).splitlines()
        self.assertEqual(len(lines), 5)
        self.assertRegex(lines[4], TIMES)

    def test_sizes(self):
        for size in (0, 1, 1472, 1473, 20000, 65507):
            self.assertRegex(self.outcome("-c", "1", "-s", size, lan.KERNEL),
                             rf"(?m)^{size + 8} bytes from .*: icmp_seq=1 ")

    def test_itself(self):
        out = self.outcome("-c", "2", "-i", "0.01", lan.WEIR)
        self.assertRegex(out, r"(?m)^64 bytes from 10\.77\.0\.2: icmp_seq=2 ttl=64 time=\d+(\.\d+)? ms$")

    def test_a_host_that_nobody_is(self):
        out = self.outcome("-c", "2", "10.77.0.9", status=1)
        self.assertIn("icmp_seq=1 Destination Host Unreachable\n", out)
        self.assertRegex(out, r"2 packets transmitted, 0 received, \+2 errors, 100% packet loss, time \d+ms\n\n$")

    def test_no_reply_in_time(self):
        out = self.outcome("-c", "1", "-W", "0.2", "192.0.2.1", status=1)
        self.assertIn("1 packets transmitted, 0 received, 100% packet loss", out)

    def test_deadline(self):
        out = self.outcome("-w", "0.3", "-i", "0.1", lan.KERNEL)
        self.assertRegex(out, r"(?m)^([123]) packets transmitted, \1 received, 0% packet loss")

    def test_interrupt_shows_the_summary(self):
        program = self.ping("-i", "0.01", lan.KERNEL)
        program.wait_for("icmp_seq=3 ")
        program.signal(signal.SIGINT)
        self.assertEqual(program.exit(), 0)
        self.assertRegex(program.out, r"packets transmitted, \d+ received, .*\n" + TIMES.strip("^$"))

    def test_interrupt_without_a_reply(self):
        program = self.ping("192.0.2.1")
        program.wait_for("^PING")
        program.signal(signal.SIGINT)
        self.assertEqual(program.exit(), 1)
        self.assertRegex(program.out, r"[01] packets transmitted, 0 received")


class Own(Ping, lan.Case):
    """With a stack of its own."""
    way = ("--link", "tap:weir0")

    def test_addresses_are_said(self):
        program = self.ping("-c", "1", "--ip", "192.168.7.9/24", "192.168.7.1")
        self.assertEqual(program.exit(), 0, program.err)
        self.assertEqual(program.err, "weir: tap weir0: weir is 192.168.7.9/24, its gateway 192.168.7.1 "
                                      "is the kernel\n")

    def test_ttl(self):
        """The kernel's end does not forward, so only what is sent to it comes back."""
        self.assertRegex(self.outcome("-c", "1", "-t", "1", lan.KERNEL), r"icmp_seq=1 ttl=64")


class Running(Ping, lan.Case):
    """By the stack of a `weir run`."""
    way = ()

    def setUp(self):
        super().setUp()
        self.run_program = self.idle()

    def test_several_at_once(self):
        programs = [self.ping("-c", "20", "-i", "0.01", lan.KERNEL) for _ in range(4)]
        for program in programs:
            self.assertEqual(program.exit(), 0, program.out)
            self.assertIn("20 packets transmitted, 20 received, 0% packet loss", program.out)

    def test_one_target_s_error_is_not_another_s(self):
        lost = self.ping("-c", "1", "10.77.0.9")
        good = self.ping("-i", "0.05", lan.KERNEL)
        self.assertEqual(lost.exit(), 1)
        good.signal(signal.SIGINT)
        self.assertEqual(good.exit(), 0)
        self.assertNotIn("errors", good.out)

    def test_the_stack_ends(self):
        program = self.ping("-i", "0.05", lan.KERNEL)
        program.wait_for("icmp_seq=2 ")
        self.run_program.signal(signal.SIGTERM)
        self.assertEqual(program.exit(), 2)
        self.assertEqual(program.err, "weir: ping: the stack has ended\n")
        self.assertIn("packets transmitted", program.out)

    def test_the_kernel_pings_weir(self):
        if not rig.find("ping"):
            self.skipTest("not installed: iputils-ping")
        for size in (0, 56, 1472, 1473, 20000, 65507):
            answer = subprocess.run([rig.find("ping"), "-c", "3", "-i", "0.01", "-s", str(size), "-W", "5",
                                     lan.WEIR], stdout=subprocess.PIPE, text=True, check=False)
            self.assertEqual(answer.returncode, 0, answer.stdout)
            self.assertIn("3 packets transmitted, 3 received, 0% packet loss", answer.stdout)


class Mistakes(rig.Case):
    LINES = (
        ("-c x 1.2.3.4", "not a number for -c 'x'"),
        ("-c 0 1.2.3.4", "not a number for -c '0'"),
        ("-t 256 1.2.3.4", "not a number for -t '256'"),
        ("-s 65508 1.2.3.4", "not a number for -s '65508'"),
        ("-i 0.001 1.2.3.4", "not seconds for -i '0.001'"),
        ("-W soon 1.2.3.4", "not seconds for -W 'soon'"),
        ("-z 1.2.3.4", "unknown option '-z'"),
        ("--lnk tap:x 1.2.3.4", "did you mean '--link'?"),
        ("-c", "no value for '-c'"),
        ("", "wants one address"),
        ("1.2.3.4 5.6.7.8", "wants one address"),
        ("nowhere", "not an address 'nowhere'"),
        ("--link host 1.2.3.4", "no ICMP on link 'host'"),
        ("--ip 10.0.0.2/24 1.2.3.4", "are for a tap link"),
        ("1.2.3.4", "no stack is running"),
        ("-d 00000000 1.2.3.4", "no stack '00000000' is running"),
    )

    def test_one_line_and_exit_2(self):
        for words, text in self.LINES:
            with self.subTest(words):
                program = self.start(rig.WEIR, "ping", *words.split())
                self.assertEqual(program.exit(), 2)
                self.assertEqual(program.out, "")
                self.assertEqual(program.err.count("\n"), 1)
                self.assertIn("weir: ", program.err)
                self.assertIn(text, program.err)

    def test_host_link(self):
        program = self.weir("sh", "-c", "echo ready; sleep 1000")
        program.wait_for("ready")
        ping = self.start(rig.WEIR, "ping", "-c", "1", "127.0.0.1")
        self.assertEqual(ping.exit(), 2)
        self.assertIn("on the host link, which carries no ICMP", ping.err)


if __name__ == "__main__":
    lan.enter()
    tap.main()
