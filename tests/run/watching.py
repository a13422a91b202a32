"""Looking at a stack that runs: weir ss, weir sysctl, the summary line, --pcapng, --seed, -v."""
import json
import re
import socket
import subprocess

import alone
import rig
import tap

TALK = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"x" * 1000)
print("up", s.getsockname()[1], flush=True)
sys.stdin.read()
s.close()
"""
SERVE = """
import socket, sys
l = socket.create_server(("127.0.0.1", 0))
print("port", l.getsockname()[1], flush=True)
c, _ = l.accept()
print("up", flush=True)
sys.stdin.read()
"""
FETCH = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"q" * 5000)
n = 0
while data := s.recv(65536): n += len(data)
print(n)
"""
SPRAY = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(150): s.sendto(str(n).encode(), ("127.0.0.1", int(sys.argv[1])))
"""


def ask(*words):
    return subprocess.run([rig.WEIR, *words], capture_output=True, text=True, timeout=rig.PATIENCE, check=False)


class Watched(rig.Case):
    def talk(self):
        """A program with one connection to the host: (program, its port, the host's port, connection)."""
        listener = rig.listen()
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        program = self.python(TALK, str(port), stdin=subprocess.PIPE)
        own = program.wait_for(r"up (\d+)")[1]
        connection, _ = listener.accept()
        self.addCleanup(connection.close)
        connection.settimeout(rig.PATIENCE)
        self.assertEqual(connection.recv(1000, socket.MSG_WAITALL), b"x" * 1000)
        return program, own, str(port), connection


class Ss(Watched):
    def test_a_connection(self):
        program, own, port, connection = self.talk()
        line = ask("ss", "-tnpH", "dport", "=", ":" + port).stdout
        self.assertRegex(line, rf"^ESTAB +0 +0 +127\.0\.0\.1:{own} +127\.0\.0\.1:{port} +users:\(\(\"python3")
        connection.close()
        program.child.stdin.close()
        self.end_well(program)
        self.assertEqual(ask("ss", "-tanH", "dport", "=", ":" + port).stdout, "")

    def test_what_is_known_of_it(self):
        _, own, port, _ = self.talk()
        lines = ask("ss", "-tniH", "dport", "=", ":" + port).stdout
        self.assertRegex(lines, r"rto:\d+ rtt:[\d.]+/[\d.]+ mss:1448 .*cwnd:\d+ .*bytes_acked:1000")
        answer = json.loads(ask("ss", "--json", "dport", "=", ":" + port).stdout)
        [found] = answer["sockets"]
        self.assertEqual((found["state"], found["local_port"], found["peer_port"]), ("ESTAB", own, port))
        self.assertEqual(found["tcp"]["bytes_acked"], 1000)
        self.assertGreater(found["tcp"]["rto"], 0.1)

    def test_a_listener(self):
        program = self.python(SERVE, stdin=subprocess.PIPE)
        port = program.wait_for(r"port (\d+)")[1]
        waiting = rf"^LISTEN +0 +\d+ +127\.0\.0\.1:{port} +0\.0\.0\.0:\* +users:\(\(\"python3"
        self.assertRegex(ask("ss", "-tlnpH", "sport", "=", ":" + port).stdout, waiting)
        with rig.connect(int(port)) as client:
            program.wait_for("up")
            line = ask("ss", "-tnH", "sport", "=", ":" + port).stdout
            self.assertRegex(line, rf"^ESTAB .*127\.0\.0\.1:{port} +127\.0\.0\.1:{client.getsockname()[1]}")
        program.child.stdin.close()
        self.end_well(program)

    def test_a_peer_that_closed(self):
        _, _, port, connection = self.talk()
        connection.shutdown(socket.SHUT_WR)
        for _ in range(1000):
            line = ask("ss", "-tnH", "dport", "=", ":" + port).stdout
            if "CLOSE-WAIT" in line:
                break
        self.assertRegex(line, "^CLOSE-WAIT ")

    def test_nothing_fits(self):
        self.talk()
        answer = ask("ss", "-H", "dport", "=", ":1")
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "", ""))


class Sysctl(Watched):
    NAME = "net.ipv4.tcp_fin_timeout"

    def test_without_a_stack_it_shows_the_presets(self):
        answer = ask("sysctl", "-a")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertRegex(answer.stdout, rf"(?m)^{self.NAME} = 60$")
        self.assertTrue(all(re.match(r"[\w.]+ = .*$", line) for line in answer.stdout.splitlines()))

    def test_unknown(self):
        answer = ask("sysctl", "net.ipv4.tcp_fin_timeot")
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stderr, rf"\Aweir: unknown knob .*did you mean '{self.NAME}'\? \(weir sysctl -a\)\n\Z")

    def inside(self, *words):
        """sysctl as the program, whose namespace shows no stack but its own: it is set to 41."""
        program = self.weir("env", "-u", "LD_PRELOAD", rig.WEIR, "sysctl", *words,
                            options=["--set", self.NAME + "=41"])
        status = program.exit()
        lines = [line for line in program.err.splitlines() if not re.match(r"weir: (the program|\d+ bytes)", line)]
        return status, program.out, "\n".join(lines)

    def test_set_at_the_start(self):
        self.assertEqual(self.inside("-n", self.NAME), (0, "41\n", ""))

    def test_set_while_it_runs(self):  # ROW:136
        self.assertEqual(self.inside(self.NAME + "=33", self.NAME),
                         (0, f"{self.NAME} = 33\n{self.NAME} = 33\n", ""))

    def test_set_from_a_file(self):  # ROW:136
        with open(self.path("conf"), "w", encoding="utf-8") as stream:
            stream.write(f"# a comment\n\n  {self.NAME} = 34  # for us\n;{self.NAME}=35\n"
                         "net.ipv4.ip_local_port_range = 5000 6000\nnonsense\n")
        status, out, err = self.inside("-p", self.path("conf"))
        self.assertEqual(out, f"{self.NAME} = 34\nnet.ipv4.ip_local_port_range = 5000 6000\n")
        self.assertEqual((status, err), (1, f"weir: {self.path('conf')}: not KNOB = VALUE 'nonsense'"))

    def test_a_file_that_is_not_there(self):
        status, _, err = self.inside("-p", "/nonexistent")
        self.assertEqual((status, err), (1, "weir: /nonexistent: No such file or directory"))

    def test_mistakes(self):
        for text, words in (("net.ipv4.tcp_fin_timeot=3", f"did you mean '{self.NAME}'"),
                            (self.NAME + "=soon", "not a number"),
                            (self.NAME + "=99999999999", "out of bounds")):
            status, out, err = self.inside(text)
            self.assertEqual((status, out), (1, ""))
            self.assertRegex(err, rf"\Aweir: .*{words}.*\Z")


class Told(Watched):
    def fetch(self, *options):
        """A server of the host sends 300,000 bytes for 5,000."""
        listener = rig.listen()
        self.addCleanup(listener.close)
        program = self.python(FETCH, str(listener.getsockname()[1]), options=options)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(rig.PATIENCE)
            connection.recv(5000, socket.MSG_WAITALL)
            connection.sendall(bytes(300_000))
        self.end_well(program)
        self.assertEqual(program.out, "300000\n")
        return program

    def test_summary(self):
        program = self.fetch()
        self.assertRegex(program.err, r"\Aweir: .*\nweir: 5000 bytes out, 300000 in; \d+ segments out, \d+ in; "
                                      r"0 retransmitted; 0 dropped\n\Z")

    def test_verbose_names_the_seed(self):
        self.assertRegex(self.fetch("-v", "--seed", "77").err, r"(?m)^weir: seed 77$")

    def tshark(self, *words):
        answer = subprocess.run(["tshark", "-n", "-r", self.path("pcapng"), "-o", "tcp.check_checksum:TRUE",
                                 "-o", "ip.check_checksum:TRUE", *words], capture_output=True, text=True,
                                timeout=60, check=False, env={"HOME": self.folder, "PATH": "/usr/bin:/bin"})
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return [line.split("\t") for line in answer.stdout.splitlines()]

    @rig.need("tshark")
    def test_pcapng(self):  # ROW:135
        program = self.fetch("--pcapng", self.path("pcapng"), "--net", "delay 2ms loss 3%", "--seed", "9")
        frames = self.tshark("-T", "fields", "-e", "_ws.malformed", "-e", "tcp.checksum.status", "-e",
                             "ip.checksum.status", "-e", "tcp.flags.syn", "-e", "tcp.flags.fin", "-e",
                             "tcp.analysis.retransmission", "-e", "frame.comment")
        self.assertEqual([frame for frame in frames if frame[0]], [])
        self.assertEqual({frame[1] for frame in frames} - {"1"}, set(), "a bad TCP checksum")
        self.assertEqual({frame[2] for frame in frames} - {"1"}, set(), "a bad IP checksum")
        self.assertGreaterEqual(sum(frame[3] in ("1", "True") for frame in frames), 2)
        self.assertGreaterEqual(sum(frame[4] in ("1", "True") for frame in frames), 2)
        self.assertTrue(any(frame[6] for frame in frames), "no comment says why")
        self.assertRegex(program.err, r"the network lost \d+ up, [1-9]\d* down")

    def spray(self, seed):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", 0))
            program = self.python(SPRAY, str(sink.getsockname()[1]), options=["--net", "up: loss 20%", "--seed", seed])
            self.end_well(program)
            sink.setblocking(False)
            arrived = []
            try:
                while True:
                    arrived.append(int(sink.recv(100)))
            except BlockingIOError:
                return arrived

    def test_a_seed_gives_the_same_losses(self):
        first = self.spray("5")
        self.assertTrue(90 < len(first) < 145, first)
        self.assertEqual(first, sorted(first))
        self.assertEqual(first, self.spray("5"))
        self.assertNotEqual(first, self.spray("6"))


if __name__ == "__main__":
    alone.leave_host()
    tap.main()
