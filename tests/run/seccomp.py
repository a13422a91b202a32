"""The seccomp door: statically linked programs under `weir run`.

seccomp_program.c is linked here and run twice, on the kernel's stack and on weir's; it must print the
same. Skipped where the kernel has no user notification, or no static libc is there.
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import rig
import tap

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seccomp_program.c")
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}.get(os.uname().machine)
SECCOMP_GET_NOTIF_SIZES = 3
PORT = re.compile(r"^port (\d+)$", re.M)


def why_not():
    """Why the door can not be tested here, or None."""
    sizes = ctypes.create_string_buffer(6)
    if not SYS_SECCOMP or ctypes.CDLL(None).syscall(SYS_SECCOMP, SECCOMP_GET_NOTIF_SIZES, 0, sizes) != 0:
        return "the kernel has no seccomp user notification"
    if not rig.find("cc"):
        return "not installed: cc"
    return None


class Echo:
    """A kernel server that sends everything back, then closes."""

    def __init__(self):
        self.listener = rig.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    @staticmethod
    def echo(connection):
        with connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)


class Static(rig.Case):
    @classmethod
    def setUpClass(cls):
        reason = why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.built = tempfile.mkdtemp(prefix="weir-static-")
        cls.addClassCleanup(shutil.rmtree, cls.built, True)
        cls.program = os.path.join(cls.built, "program")
        made = subprocess.run(["cc", "-O1", "-D_GNU_SOURCE", "-static", "-o", cls.program, SOURCE],
                              capture_output=True, text=True, timeout=120, check=False)
        if made.returncode:
            raise unittest.SkipTest("no static libc: " + made.stderr.strip().splitlines()[-1])

    def run_on(self, stack, *words, options=()):
        return (self.weir if stack == "weir" else self.start)(self.program, *words,
                                                              **({"options": options} if stack == "weir" else {}))

    def compare(self, verb, talk=lambda program: None, port=None):
        """`talk` is the other side; what both runs print, ports left out, must be equal."""
        printed = {}
        for stack in ("kernel", "weir"):
            program = self.run_on(stack, verb, *([str(port)] if port else []))
            talk(program)
            status = program.exit()
            printed[stack] = f"{PORT.sub('port', program.out)}exit {status}"
        self.assertMultiLineEqual(printed["kernel"], printed["weir"])
        self.assertTrue(printed["weir"].endswith("exit 0"), printed["weir"])
        self.assertRegex(program.err, rig.SUMMARY)

    def exchange(self, program, size=100000):
        """A connection that is echoed, over the kernel's stack."""
        with rig.connect(int(program.wait_for(PORT.pattern)[1])) as connection:
            data = bytes(size)
            writer = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
            writer.start()
            self.assertEqual(len(rig.read_all(connection)), size)
            writer.join()


class Clients(Static):
    def test_blocking(self):
        self.compare("client", port=Echo().port)

    def test_again_after_a_refusal(self):
        self.compare("refused", port=Echo().port)

    def test_non_blocking_in_epoll_before_connect(self):
        self.compare("nonblocking", port=Echo().port)

    def test_non_blocking_refused(self):
        self.compare("refused_later")

    def test_over_a_slow_network(self):
        """The handshake is waited for: once by connect, once by epoll."""
        for verb in ("client", "nonblocking"):
            program = self.run_on("weir", verb, str(Echo().port), options=["--net", "delay 30ms"])
            self.end_well(program)
            self.assertIn("read: 0", program.out)


class Servers(Static):
    def test_accept_and_fork(self):
        self.compare("server", lambda p: [self.exchange(p) for _ in range(3)])

    def test_epoll(self):
        self.compare("epolled", lambda p: [self.exchange(p), self.exchange(p, 0)])

    def test_signal_ends_accept(self):
        self.compare("signals", lambda p: (p.wait_for("interrupted"), self.exchange(p)))

    def test_signals_that_begin_calls_anew(self):
        self.compare("storm")

    def test_a_thread_that_waits_hinders_no_other(self):
        self.compare("threads", lambda p: (p.wait_for("others go on"), self.exchange(p, 0)), port=Echo().port)

    def test_listener_over_exec(self):
        self.compare("inherited", self.exchange)

    def test_killed(self):
        """The daemon and the door end when the program was killed in accept, and its connection with FIN."""
        program = self.run_on("weir", "server")
        port = int(program.wait_for(PORT.pattern)[1])
        with rig.connect(port) as connection:
            connection.sendall(b"x")
            self.assertEqual(connection.recv(1), b"x")
            for pid in rig.children(program.pid):
                with open(f"/proc/{pid}/comm", encoding="ascii") as stream:
                    if stream.read().strip() == "program":
                        os.kill(pid, signal.SIGKILL)
            self.assertEqual(connection.recv(1), b"")
        self.end_well(program, 128 + signal.SIGKILL)


class Datagrams(Static):
    def test_client(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.settimeout(rig.PATIENCE)
            server.bind(("127.0.0.1", 0))

            def answer(_):
                for _ in range(4):
                    data, peer = server.recvfrom(100)
                    server.sendto(data + b"!", peer)
            self.compare("datagrams", answer, port=server.getsockname()[1])

    def test_server(self):
        def ask(program):
            to = ("127.0.0.1", int(program.wait_for(PORT.pattern)[1]))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
                for client, data in (one, b"a"), (two, b"bb"), (one, b"x" * 1300):
                    client.settimeout(rig.PATIENCE)
                    client.sendto(data, to)
                    self.assertEqual(client.recvfrom(2000), (data, to))
                one.sendto(b"end", to)
        self.compare("datagram_server", ask)


class Door(Static):
    def test_other_sockets_are_the_kernels(self):
        self.compare("foreign")

    def test_nothing_passes_by(self):
        program = self.run_on("weir", "around")
        self.end_well(program)
        self.assertEqual(program.out, "io_uring: ENOSYS\nmultipath: EPROTONOSUPPORT\n")

    def test_static_is_seen_by_itself_and_not_for_preload(self):
        program = self.run_on("weir", "foreign", options=["--via", "preload"])
        self.assertEqual(program.exit(), 126)
        self.assertRegex(program.err, "statically linked.*--via seccomp")

    def test_dynamic_program(self):
        program = self.weir("sh", "-c", "exec cat /proc/self/status", options=["--via", "seccomp"])
        self.end_well(program)
        self.assertRegex(program.out, r"Seccomp:\s+2")

    def test_one_filter_only(self):
        """weir run within weir run: a process can have one such filter."""
        program = self.weir(rig.WEIR, "run", "--via", "seccomp", "--", "true", options=["--via", "seccomp"])
        self.assertEqual(program.exit(), 126)
        self.assertIn("one such filter only", program.err)

    def test_program_of_32_bits(self):
        with open(self.path("old"), "wb") as stream:
            stream.write(b"\x7fELF\x01\x01\x01" + bytes(100))
        os.chmod(self.path("old"), 0o755)
        program = self.weir(self.path("old"))
        self.assertEqual(program.exit(), 126)
        self.assertIn("32 bits", program.err)


del Static
if __name__ == "__main__":
    tap.main()
