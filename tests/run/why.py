"""weir why: real programs in each state that people ask about."""
import json
import socket
import subprocess

import rig
import tap

LEAK = """
import socket, sys
l = socket.create_server(("127.0.0.1", 0))
print("port", l.getsockname()[1], flush=True)
c, _ = l.accept()
while c.recv(100): pass
print("end", c.fileno(), flush=True)
sys.stdin.read()
"""
SHUT = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.shutdown(socket.SHUT_WR)
print("up", s.getsockname()[1], s.fileno(), flush=True)
sys.stdin.read()
"""
CLOSE = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("up", s.getsockname()[1], flush=True)
sys.stdin.readline()
s.close()
print("closed", flush=True)
sys.stdin.read()
"""
CONNECT = """
import socket, sys
s = socket.socket()
s.setblocking(False)
s.connect_ex((sys.argv[1], int(sys.argv[2])))
print("up", flush=True)
sys.stdin.read()
"""
LISTEN = """
import socket, sys
l = socket.create_server(("127.0.0.1", 0), backlog=1)
print("port", l.getsockname()[1], flush=True)
sys.stdin.read()
"""
FLOOD = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
s.sendall(bytes(1 << 26))
"""


class Why(rig.Case):
    def hold(self, text, *words, options=()):
        return self.python(text, *words, stdin=subprocess.PIPE, options=options)

    def ask(self, program, *words):
        """What weir why says of this run: (exit status, text)."""
        answer = subprocess.run([rig.WEIR, "why", *map(str, words), "--run", str(program.pid)], capture_output=True,
                                text=True, timeout=rig.PATIENCE, check=False)
        self.assertEqual(answer.stderr, "")
        return answer.returncode, " ".join(answer.stdout.split())

    def until(self, program, pattern, *words):
        """Asks until the answer has the pattern: what it waits for is on its way."""
        for _ in range(400):
            status, text = self.ask(program, *words)
            if status == 0 and pattern in text:
                break
        self.assertIn(pattern, text)
        self.assertEqual(status, 0)
        return text

    def test_a_leak(self):
        program = self.hold(LEAK)
        port = program.wait_for(r"port (\d+)")[1]
        with rig.connect(int(port)) as client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            fd = program.wait_for(r"end (\d+)")[1]
            text = self.until(program, "CLOSE-WAIT", port)
        self.assertRegex(text, rf"python3 \(pid \d+\) fd {fd}: CLOSE-WAIT for \d+ m?s")
        self.assertRegex(text, rf"fd {fd} is still open, .*the end of the stream .* ago: since then a read returns 0")
        self.assertIn("No timer ends this state", text)
        self.assertRegex(text, rf"bind\(\) of TCP port {port} fails with EADDRINUSE: python3 \(pid \d+\) listens")

    def test_by_descriptor(self):
        program = self.hold(LEAK)
        port = program.wait_for(r"port (\d+)")[1]
        with rig.connect(int(port)) as client:
            client.shutdown(socket.SHUT_WR)
            fd = program.wait_for(r"end (\d+)")[1]
            self.until(program, "CLOSE-WAIT", port)
            [pid] = [pid for pid in rig.children(program.pid)
                     if open(f"/proc/{pid}/comm", encoding="ascii").read().startswith("python3")]
            status, text = self.ask(program, "fd", fd, "of", pid)
            self.assertEqual(status, 0)
            self.assertEqual((text.count("CLOSE-WAIT"), text.count("LISTEN")), (1, 0))
            answer = subprocess.run([rig.WEIR, "why", "fd", "0", "of", str(pid)], capture_output=True, text=True,
                                    timeout=rig.PATIENCE, check=False)
            self.assertEqual(answer.returncode, 1)
            self.assertIn("is no socket", answer.stderr)

    def test_fin_wait_2(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        program = self.hold(SHUT, str(listener.getsockname()[1]))
        found = program.wait_for(r"up (\d+) (\d+)")
        connection, _ = listener.accept()
        with connection:
            text = self.until(program, "FIN-WAIT-2", found[1])
        self.assertIn(f"said shutdown(SHUT_WR) and still has fd {found[2]} open, so no timer runs", text)

    def test_time_wait(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        program = self.hold(CLOSE, str(listener.getsockname()[1]))
        own = program.wait_for(r"up (\d+)")[1]
        connection, _ = listener.accept()
        with connection:
            program.child.stdin.write(b"\n")
            program.child.stdin.flush()
            program.wait_for("closed")
            self.assertEqual(connection.recv(1), b"")
        text = self.until(program, "TIME-WAIT for", own)
        self.assertRegex(text, r"[\d.]+ s left \(net\.weir\.tcp_time_wait_s = 60\)")
        self.assertRegex(text, rf"bind\(\) of TCP port {own} needs SO_REUSEADDR: 1 connection of it is in TIME-WAIT")
        self.assertIn("closed in good order, by us first", text)

    def test_a_syn_into_a_black_hole(self):
        program = self.hold(CONNECT, "127.0.0.1", "9", options=["--net", "up: loss 100%"])
        program.wait_for("up")
        text = self.until(program, "SYN-SENT", "127.0.0.1:9")
        self.assertRegex(text, r"The SYN was sent \d times?, and no answer came")
        self.assertIn("with ETIMEDOUT (net.ipv4.tcp_syn_retries = 6)", text)

    def test_refused(self):
        port = str(rig.free_port())
        program = self.hold(CONNECT, "127.0.0.1", port)
        program.wait_for("up")
        text = self.until(program, "nobody listens there", port)
        self.assertIn(f"127.0.0.1:{port}: refused: the peer answered our SYN with RST", text)

    def test_a_full_accept_queue(self):
        program = self.hold(LISTEN)
        port = program.wait_for(r"port (\d+)")[1]
        for _ in range(8):
            client = socket.socket()
            self.addCleanup(client.close)
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", int(port)))
        text = self.until(program, "its queue is full", port)
        self.assertRegex(text, r"has accepted nothing for at least .*connections wait, the backlog is 1\.")
        self.assertIn("The program has not accepted it yet.", text)

    def test_a_closed_window(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        program = self.hold(FLOOD, str(listener.getsockname()[1]))
        connection, _ = listener.accept()
        with connection:
            program.wait_for("up")
            text = self.until(program, "The peer's window has been closed for", listener.getsockname()[1])
            self.assertIn("the peer's program does not read.", text)
            self.assertIn("As long as the peer answers probes, nothing ends this", text)

    def test_the_host_has_the_port(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        program = self.hold(LISTEN)
        program.wait_for("port")
        _, text = self.ask(program, listener.getsockname()[1])
        self.assertIn("but a program of the host listens there", text)

    def test_json(self):
        program = self.hold(LISTEN)
        port = program.wait_for(r"port (\d+)")[1]
        _, text = self.ask(program, "--json", port)
        answer = json.loads(text)
        [found] = answer["sockets"]
        self.assertEqual((found["state"], found["local_port"], found["end"]), ("LISTEN", port, None))
        self.assertEqual(found["process"]["name"], "python3")
        self.assertIn("nothing waits for accept()", found["words"])
        self.assertIn("EADDRINUSE", answer["bind"])
        _, text = self.ask(program, "--json", "--all")
        self.assertEqual(len(json.loads(text)["sockets"]), 1)

    def test_a_trace_that_is_off(self):
        port = str(rig.free_port())
        program = self.hold(CONNECT, "127.0.0.1", port, options=["--set", "net.weir.trace_events=0"])
        program.wait_for("up")
        self.assertNotIn("Lately", self.ask(program, port)[1])

    def test_mistakes(self):
        for words, said in ((["70000"], "is no port"), (["fd", "3"], "fd N of PID"), ([], "Usage"),
                            (["--jsn", "80"], "did you mean '--json'"), (["10.0.0.1:"], "is no port")):
            answer = subprocess.run([rig.WEIR, "why", *words], capture_output=True, text=True, timeout=rig.PATIENCE,
                                    check=False)
            self.assertEqual((answer.returncode, answer.stdout), (2, ""), words)
            self.assertIn(said, answer.stderr)


if __name__ == "__main__":
    tap.main()
