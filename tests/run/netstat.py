"""weir netstat: the columns and the spelling of netstat(8), so that what people pipe it into works."""
import re
import socket
import subprocess

import lan
import rig
import tap

BOTH = """
import socket
s = socket.create_server(("0.0.0.0", 0))
six = socket.socket(socket.AF_INET6)
six.bind(("::", 0))
six.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 0))
print(s.getsockname()[1], six.getsockname()[1], u.getsockname()[1], flush=True)
c = s.accept()[0]
c.sendall(b"x")
c.recv(1)
"""
SOCKETS = re.compile(r"^(tcp6?|udp6?) +(\d+) +(\d+) (\S+) +(\S+) +(\S*) *(\S*) *$", re.M)


class Netstat(rig.Case):
    def netstat(self, *words, status=0):
        program = self.start(rig.WEIR, "netstat", *words)
        self.assertEqual(program.exit(), status, program.err)
        self.assertNotRegex(program.err, rig.SANITIZER)
        return program

    def setUp(self):
        super().setUp()
        self.program = self.python(BOTH)
        self.four, self.six, self.udp = self.program.wait_for(r"^(\d+) (\d+) (\d+)$").groups()
        self.peer = socket.create_connection(("127.0.0.1", int(self.four)), rig.PATIENCE)
        self.addCleanup(self.peer.close)
        self.assertEqual(self.peer.recv(1), b"x")
        self.name = "127.0.0.1:%d" % self.peer.getsockname()[1]

    def test_connections(self):
        lines = self.netstat("-n").out.splitlines()
        self.assertEqual(lines[0], "Active Internet connections (w/o servers)")
        self.assertEqual(lines[1], "Proto Recv-Q Send-Q Local Address           Foreign Address         State       ")
        self.assertEqual([SOCKETS.match(line).groups() for line in lines[2:]],
                         [("tcp", "0", "0", f"127.0.0.1:{self.four}", self.name, "ESTABLISHED", "")])

    def test_servers_and_all(self):
        servers = [("tcp", f"0.0.0.0:{self.four}", "0.0.0.0:*", "LISTEN"), ("tcp6", f":::{self.six}", ":::*", "LISTEN"),
                   ("udp", f"127.0.0.1:{self.udp}", "0.0.0.0:*", "")]
        shown = [(m[1], m[4], m[5], m[6]) for m in SOCKETS.finditer(self.netstat("-l").out)]
        self.assertEqual(sorted(shown), servers)
        shown = [m[5] for m in SOCKETS.finditer(self.netstat("-ant").out)]
        self.assertEqual(sorted(shown), sorted(["0.0.0.0:*", ":::*", self.name]))

    def test_programs(self):
        self.assertRegex(self.netstat("-p").out, rf"(?m){self.name} +ESTABLISHED +\d+/python\S* *$")

    def test_the_well_known_pipe(self):  # ROW:134
        answer = subprocess.run(f"{rig.WEIR} netstat -n | awk '/^tcp/ {{++S[$NF]}} END {{for(a in S) print a, S[a]}}'",
                                shell=True, check=True, text=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(answer, "ESTABLISHED 1\n")

    def test_counters(self):  # ROW:137
        text = self.netstat("-s").out
        self.assertRegex(text, r"(?m)^Ip:\n(    .*\n)*    \d+ total packets received\n")
        self.assertRegex(text, r"(?m)^Tcp:\n(    .*\n)*    1 passive connection openings\n")
        self.assertRegex(text, r"(?m)^Udp:\n(    .*\n)*    0 packets to unknown port received\n")
        self.assertNotRegex(text.partition("TcpExt:\n")[2], r"(?m)^    0 |: 0$")

    def test_mistakes(self):
        for words, line in ((["--statistic"], None),
                            (["--lisening"], "weir: unknown option '--lisening': did you mean '--listening'? "
                                             "(weir netstat --help)\n"),
                            (["-z"], "weir: unknown option '-z': see weir netstat --help\n"),
                            (["x"], "weir: netstat takes no 'x': see weir netstat --help\n")):
            with self.subTest(words):
                program = self.netstat(*words, status=2 if line else 0)
                self.assertEqual(program.err, line or "")


if __name__ == "__main__":
    lan.enter()
    tap.main()
