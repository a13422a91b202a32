"""Sudden ends under `weir run`: of the program, of the daemon, by Ctrl-C. Peers learn of it, and
nothing stays behind."""
import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios

import rig
import tap

HEAD = """
import os, signal, socket, struct, sys
def say(*words): print(*words, flush=True)
def daemon():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect("\\0weir/" + os.environ["WEIR_DAEMON"] + "/ctl")
    return struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
def attempt(what, call, *arguments):
    try:
        say(what, call(*arguments))
    except OSError as error:
        say(what, error.errno)
say("pid", os.getpid(), "daemon", daemon(), "name", os.environ["WEIR_DAEMON"])
"""


class Death(rig.Case):
    def begin(self, text, *arguments, **more):
        """(program, its own pid, the daemon's pid)"""
        program = self.python(HEAD + text, *map(str, arguments), **more)
        match = program.wait_for(r"pid (\d+) daemon (\d+) name (\w+)")
        self.name = match[3]
        return program, int(match[1]), int(match[2])

    def listener(self):
        listener = rig.listen()
        self.addCleanup(listener.close)
        return listener, listener.getsockname()[1]

    def accept(self, listener):
        connection, _ = listener.accept()
        connection.settimeout(rig.PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def nothing_is_left(self, pids):
        self.assertEqual([pid for pid in pids if rig.is_alive(pid)], [])
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as stream:
            self.assertNotIn(f"@weir/{self.name}/", stream.read())


class Killed(Death):
    def test_idle_client(self):  # ROW:101
        listener, port = self.listener()
        program, pid, _ = self.begin("s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                                     "say('up'); signal.pause()", port)
        peer = self.accept(listener)
        program.wait_for("up")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(peer.recv(1), b"")
        peer.close()
        self.end_well(program, 128 + signal.SIGKILL)

    def test_client_that_left_bytes_unread(self):  # ROW:101
        listener, port = self.listener()
        program, pid, _ = self.begin("s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                                     "s.recv(1, socket.MSG_PEEK); say('up'); signal.pause()", port)
        peer = self.accept(listener)
        peer.sendall(b"unread")
        program.wait_for("up")
        os.kill(pid, signal.SIGKILL)
        with self.assertRaises(ConnectionResetError):
            peer.recv(1)
        self.end_well(program, 128 + signal.SIGKILL)

    def test_server(self):  # ROW:101
        program, pid, _ = self.begin("l = socket.create_server(('127.0.0.1', 0))\n"
                                     "say('port', l.getsockname()[1])\n"
                                     "c, _ = l.accept(); say('up'); signal.pause()")
        port = int(program.wait_for(r"port (\d+)")[1])
        with rig.connect(port) as peer:
            program.wait_for("up")
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(peer.recv(1), b"")
        self.end_well(program, 128 + signal.SIGKILL)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    def arrives(self, most):
        """The reader begins when the program is dead: what weir took it keeps, here or in the gateway."""
        listener, port = self.listener()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        program, pid, _ = self.begin(
            "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
            "s.setsockopt(1, socket.SO_SNDTIMEO, struct.pack('ll', 0, 100000))\nn = 0\ntry:\n    while n < int(sys.argv[2]): n += s.send(bytes(10000))\n"
            "except BlockingIOError: pass\nsay('wrote', n)\nos.kill(os.getpid(), 9)", port, most)
        peer = self.accept(listener)
        wrote = int(program.wait_for(r"wrote (\d+)")[1])
        rig.wait_gone(pid)
        with self.assertRaises(subprocess.TimeoutExpired):
            program.child.wait(0.8)
        self.assertEqual(len(rig.read_all(peer)), wrote)
        peer.close()
        self.end_well(program, 128 + signal.SIGKILL)

    def test_what_was_written_arrives(self):
        self.arrives(50_000_000)

    def test_what_the_gateway_holds_arrives(self):
        self.arrives(3_000_000)

    def test_a_child_that_stays_keeps_its_network(self):
        program, _, _ = self.begin("l = socket.create_server(('127.0.0.1', 0))\n"
                                   "own = os.getpid()\nif os.fork(): os._exit(5)\n"
                                   "while os.getppid() == own: os.sched_yield()\n"
                                   "say('port', l.getsockname()[1])\nc, _ = l.accept()\nc.sendall(b'alive')")
        port = int(program.wait_for(r"port (\d+)")[1])
        with rig.connect(port) as peer:
            self.assertEqual(rig.read_all(peer), b"alive")
        self.end_well(program, 5)


class DaemonKilled(Death):
    def test_each_call_says_so(self):
        listener, port = self.listener()
        program, pid, daemon = self.begin(
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "a = ('127.0.0.1', int(sys.argv[1]))\n"
            "s = socket.create_connection(a); l = socket.create_server(('127.0.0.1', 0))\n"
            "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))\n"
            "say('up')\n"
            "attempt('recv', s.recv, 1)\n"
            "attempt('name', l.getsockname)\n"
            "attempt('connect', socket.socket().connect, a)\n"
            "attempt('bind', socket.socket().bind, ('127.0.0.1', 0))\n"
            "attempt('sendto', u.sendto, b'x', a)\n"
            "attempt('socket', socket.socket, socket.AF_INET, socket.SOCK_DGRAM)\n", port)
        peer = self.accept(listener)
        program.wait_for("up")
        os.kill(daemon, signal.SIGKILL)
        self.assertEqual(program.exit(), 0, program.err)
        got = dict(re.findall(r"^(\w+) (\d+)$", program.out, re.M))
        down = str(errno.ENETDOWN)
        self.assertEqual(got, {"recv": down, "name": down, "connect": down, "bind": down, "sendto": down,
                               "socket": down})
        self.assertRegex(program.err, r"(?m)^weir: the stack ended \(signal 9\)")
        self.assertEqual(rig.read_all(peer), b"")

    def test_a_program_that_waits_is_ended(self):
        program, pid, daemon = self.begin("l = socket.create_server(('127.0.0.1', 0)); say('up'); l.accept()")
        program.wait_for("up")
        os.kill(daemon, signal.SIGKILL)
        self.assertEqual(program.exit(), 128 + signal.SIGTERM)
        self.assertRegex(program.err, r"\Aweir: .*\nweir: the stack ended \(signal 9\).*\n\Z")
        self.nothing_is_left([pid, daemon])

    def test_connect_that_waits(self):
        program, pid, daemon = self.begin(
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "signal.signal(signal.SIGALRM, lambda *_: os.kill(daemon(), 9))\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\n"
            "s = socket.socket(); attempt('connect', s.connect, ('127.0.0.1', int(sys.argv[1])))", self.full())
        self.assertEqual(program.exit(), 0, program.err)
        self.assertRegex(program.out, rf"(?m)^connect {errno.ENETDOWN}$")

    def full(self):
        """A port whose queue is full: a SYN is never answered."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(listener.close)
        for _ in range(3):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
            self.addCleanup(caller.close)
        return listener.getsockname()[1]


class Interrupted(Death):
    TEXT = "l = socket.create_server(('127.0.0.1', 0)); say('up'); l.accept()"

    def test_interrupt(self):
        program, pid, daemon = self.begin(self.TEXT)
        program.wait_for("up")
        others = rig.children(program.pid)
        os.killpg(program.pid, signal.SIGINT)
        self.end_well(program, 128 + signal.SIGINT)
        self.nothing_is_left([pid, daemon, *others])

    def test_ctrl_c_at_a_terminal(self):
        master, terminal = os.openpty()
        self.addCleanup(os.close, master)
        program, pid, daemon = self.begin(self.TEXT, stdin=terminal,
                                          before=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(terminal)
        program.wait_for("up")
        others = rig.children(program.pid)
        os.write(master, b"\x03")
        self.end_well(program, 128 + signal.SIGINT)
        self.nothing_is_left([pid, daemon, *others])

    def test_the_launcher_is_killed(self):
        """The program goes on; when it ends, so does the daemon."""
        program, pid, daemon = self.begin("say('up'); sys.stdin.read()", stdin=-1)
        program.wait_for("up")
        program.signal(signal.SIGKILL)
        self.assertEqual(program.child.wait(rig.PATIENCE), -signal.SIGKILL)
        program.child.stdin.close()
        for reader in program.readers:
            reader.join(rig.PATIENCE)
        self.assertRegex(program.err, rig.SUMMARY)
        rig.wait_gone(pid)
        self.nothing_is_left([pid])


if __name__ == "__main__":
    tap.main()
