"""weir sysctl: words, help, files, and what it says of knobs that Linux had."""
import os
import re
import subprocess

import lan
import rig
import tap

NAME = "net.ipv4.tcp_fin_timeout"


def sysctl(*words, text=None):
    return subprocess.run([rig.WEIR, "sysctl", *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=rig.PATIENCE)


class Words(rig.Case):
    """No stack runs here: what is shown are the presets."""

    def fails(self, status, words, text):
        answer = sysctl(*words)
        self.assertEqual((answer.returncode, answer.stdout), (status, ""))
        self.assertRegex(answer.stderr, rf"\Aweir: {text}\n\Z")

    def test_a_knob_by_all_its_names(self):
        for name in (NAME, "net/ipv4/tcp_fin_timeout", "tcp_fin_timeout"):
            self.assertEqual(sysctl(name).stdout, f"{NAME} = 60\n")
        self.assertEqual(sysctl("-n", NAME).stdout, "60\n")
        self.assertEqual(sysctl("-N", "tcp_fin_timeout").stdout, NAME + "\n")

    def test_several_numbers(self):
        self.assertEqual(sysctl("-n", "tcp_rmem").stdout.split(), ["4096", "131072", "6291456"])
        self.assertEqual(sysctl("-n", "ip_local_port_range").stdout, "32768\t60999\n")

    def test_help_says_preset_bounds_and_source(self):
        text = sysctl("--help", "tcp_delack_us").stdout
        self.assertRegex(text, r"\Anet\.weir\.tcp_delack_us = 40000 microseconds\n\nHow long an ACK may wait")
        self.assertIn("\npreset   40000\nbounds   0 to 500000\nafter    RFC 9293, section 3.8.6.3\n", text)

    def test_help_of_every_knob(self):
        names = sysctl("-aN").stdout.split()
        self.assertGreater(len(names), 40)
        text = sysctl("--help", *names).stdout
        self.assertEqual(re.findall(r"(?m)^(net\.[\w.]+) = ", text), names)

    def test_knobs_that_linux_dropped_and_those_that_weir_has_not(self):
        self.fails(1, ["net.ipv4.tcp_fack"], "no knob 'net.ipv4.tcp_fack': without effect in Linux since 4.15.*")
        self.fails(1, ["tcp_low_latency"], "no knob 'tcp_low_latency': .*prequeue.*")

    def test_mistakes(self):
        self.fails(1, ["net.ipv4.tcp_sak"], "unknown knob 'net.ipv4.tcp_sak': did you mean 'net.ipv4.tcp_sack'\\? \\(weir sysctl -a\\)")
        self.fails(2, ["--quite"], "unknown option '--quite': did you mean '--quiet'\\? .*")
        self.fails(2, ["-Z"], "unknown option '-Z': see weir sysctl --help")
        self.fails(1, ["-w", NAME], f"not KNOB=VALUE '{NAME}'")
        self.fails(1, [NAME + "=3"], "no stack is running; set it at the start: weir run --set .*=3")
        self.assertEqual(sysctl("-e", "net.no.such").returncode, 0)
        answer = subprocess.run([rig.WEIR, "run", "--set", "net.ipv4.tcp_congestion_control=vegas", "--", "true"],
                                stderr=subprocess.PIPE, text=True, check=False, timeout=rig.PATIENCE)
        self.assertEqual(answer.returncode, 2)
        self.assertRegex(answer.stderr, r"\Aweir: no congestion control 'vegas': there are cubic [a-z ]+\n\Z")
        self.assertEqual(sysctl().returncode, 2)
        self.assertEqual(sysctl("--help").returncode, 0)


class Running(rig.Case):
    def setUp(self):
        super().setUp()
        self.program = self.weir("sh", "-c", "echo ready; exec sleep 60")
        self.program.wait_for("ready")

    def test_written_and_read(self):
        self.assertEqual(sysctl("-w", NAME + "=33").stdout, f"{NAME} = 33\n")
        self.assertEqual(sysctl("-q", "tcp_rmem=4096 8192 16384").stdout, "")
        self.assertEqual(sysctl(NAME, "-n", "tcp_rmem").stdout, "33\n4096\t8192\t16384\n")

    def test_what_does_not_fit(self):
        for text, why in (("=0", "out of bounds .*: from 1 to 3600 .*"), ("=x", "not a number .*")):
            answer = sysctl(NAME + text)
            self.assertEqual((answer.returncode, answer.stdout), (1, ""))
            self.assertRegex(answer.stderr, rf"\Aweir: {why}\n\Z")
        self.assertRegex(sysctl("tcp_rmem=1").stderr, r"\Aweir: not 3 numbers ")
        self.assertRegex(sysctl("tcp_congestion_control=vegas").stderr,
                         r"\Aweir: no congestion control 'vegas': there are cubic [a-z ]*bbr")
        self.assertRegex(sysctl("tcp_available_congestion_control=bbr").stderr, "can only be read")
        self.assertRegex(sysctl("ip_local_reserved_ports=x").stderr, r"\Aweir: not ports ")
        self.assertRegex(sysctl("ip_local_port_range=2000 1000").stderr, r"\Aweir: out of bounds ")

    def test_memory_has_a_ceiling(self):
        """An eighth of the machine's, or of less: no program may take it all. And whoever wants may have it all."""
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") // 8
        self.assertLessEqual(16 << 20, int(sysctl("-n", "net.weir.mem_max").stdout))
        self.assertLessEqual(int(sysctl("-n", "net.weir.mem_max").stdout), most)
        other = self.weir("sh", "-c", "echo ready; exec sleep 60", options=["--set", "net.weir.mem_max=0"])
        other.wait_for("ready")
        self.assertEqual(sysctl("-n", "--run", str(other.pid), "net.weir.mem_max").stdout, "0\n")

    def test_a_file(self):
        text = f"# a comment\n; another\n\n  {NAME} = 21  \n-net.no.such = 1\nnet.ipv4.tcp_sack=0\n"
        answer = sysctl("-p", "-", text=text)
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))
        self.assertEqual(sysctl("-n", NAME, "tcp_sack").stdout, "21\n0\n")
        self.assertEqual(sysctl("-p", "-", text="net.no.such = 1\n").returncode, 1)
        self.assertEqual(sysctl("-p", self.path("none")).returncode, 1)

    def test_one_of_two_runs(self):
        other = self.weir("sh", "-c", "echo ready; exec sleep 60", options=["--set", NAME + "=44"])
        other.wait_for("ready")
        self.assertEqual(sysctl("-n", "--run", str(other.pid), NAME).stdout, "44\n")
        self.assertEqual(sysctl("--run", str(self.program.pid), "-qw", NAME + "=22").returncode, 0)
        self.assertEqual(sysctl("-n", "--run", str(other.pid), NAME).stdout, "44\n")
        self.assertEqual(sysctl("-n", "--run", str(self.program.pid), NAME).stdout, "22\n")
        answer = sysctl("--run", "nobody", NAME)
        self.assertEqual((answer.returncode, answer.stdout), (1, ""))
        self.assertRegex(answer.stderr, r"\Aweir: no stack runs under 'nobody'; there are: [0-9a-f]{8} [0-9a-f]{8} ")


if __name__ == "__main__":
    lan.enter()
    tap.main()
