"""What tests of `weir run` share: programs that are started, listened to and surely ended.

A Case ends everything it started, programs with SIGKILL, and then looks at what each `weir run` said
on stderr: lines of weir's own and no report of a sanitizer. Nothing here waits for a time to pass:
a wait is for a line, a connection or an exit, and PATIENCE is only when to give up.
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PATIENCE = 20
WEIR = os.environ.get("WEIR") or "weir"
SUPPORT = os.path.dirname(os.path.abspath(__file__))
SUMMARY = re.compile(r"^weir: \d+ bytes out, \d+ in; \d+ segments out, \d+ in; \d+ retransmitted", re.M)
SANITIZER = re.compile(r"(Sanitizer|runtime error):")
PR_SET_PDEATHSIG = 1


def _die_with_me():
    """In the child: a test that is killed leaves nothing behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A started program; what it prints is gathered by threads, so that no pipe ever fills."""

    def __init__(self, command, stdin=subprocess.DEVNULL, env=None, cwd=None, before=lambda: None):
        """before: called in the child, in a session of its own."""
        self.command = [str(word) for word in command]
        self.changed = threading.Condition()
        self.bytes = {"out": b"", "err": b""}
        self.child = subprocess.Popen(
            self.command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True, preexec_fn=lambda: (_die_with_me(), before()))
        self.pid = self.child.pid
        self.readers = [threading.Thread(target=self._gather, args=(name, stream), daemon=True)
                        for name, stream in (("out", self.child.stdout), ("err", self.child.stderr))]
        for reader in self.readers:
            reader.start()

    def _gather(self, name, stream):
        while True:
            data = stream.read1(1 << 16)
            with self.changed:
                if not data:
                    self.changed.notify_all()
                    break
                self.bytes[name] += data
                self.changed.notify_all()

    @property
    def out(self):
        return self.bytes["out"].decode(errors="replace")

    @property
    def err(self):
        return self.bytes["err"].decode(errors="replace")

    def wait_for(self, pattern, stream="out"):
        """The match of `pattern` in what was printed, once it is there."""
        end = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                match = re.search(pattern, self.bytes[stream].decode(errors="replace"), re.M)
                if match:
                    return match
                is_over = not any(reader.is_alive() for reader in self.readers)
                if is_over or not self.changed.wait(max(0, min(0.5, end - time.monotonic()))):
                    if is_over or time.monotonic() >= end:
                        raise AssertionError(f"{self.command}: no {pattern!r} in\n{self.out}\n{self.err}")

    def exit(self, patience=PATIENCE):
        """Waits for the end; the exit status, as a shell has it."""
        try:
            status = self.child.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} does not end:\n{self.out}\n{self.err}") from None
        for reader in self.readers:
            reader.join(patience)
        return status if status >= 0 else 128 - status

    def signal(self, number):
        self.child.send_signal(number)

    def end(self):
        """Kills it and what it started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait(PATIENCE)
        for reader in self.readers:
            reader.join(PATIENCE)
        self.child.stdout.close()
        self.child.stderr.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="weir-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *command, **more):
        program = Program(command, **more)
        self.addCleanup(program.end)
        return program

    def weir(self, *words, options=(), **more):
        """Starts `weir run OPTIONS -- WORDS`."""
        program = self.start(WEIR, "run", *options, "--", *words, **more)
        self.addCleanup(self.check_words, program)
        return program

    def python(self, text, *arguments, options=(), **more):
        """Starts a python program under weir; its lines are not held back."""
        return self.weir(sys.executable, "-u", "-c", text, *arguments, options=options, **more)

    def copy_weir_for(self, becoming):
        """Into the folder, where anybody can read it. `becoming`: the words before a command that
        make it somebody else's, which only root has."""
        if becoming and os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        os.chmod(self.folder, 0o755)
        for name in ("weir", "libweir-preload.so"):
            shutil.copy(os.path.join(os.path.dirname(WEIR), name), self.path(name))

    def check_words(self, program):
        self.assertNotRegex(program.err, SANITIZER)

    def end_well(self, program, status=0):
        """It ends by itself with `status`, and the daemon with its summary."""
        self.assertEqual(program.exit(), status, program.err + program.out)
        self.assertRegex(program.err, SUMMARY)


def need(*programs):
    """Skips the case (or class) when one of the programs is not installed."""
    missing = [name for name in programs if not find(name)]
    return unittest.skipIf(missing, "not installed: " + ", ".join(missing))


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port(kind=socket.SOCK_STREAM):
    """A port that was free just now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port, host="127.0.0.1"):
    """A kernel connection to a server that may not listen yet."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            made = socket.create_connection((host, port), PATIENCE)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def listen(backlog=128):
    """A kernel listener at a free port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    listener.settimeout(PATIENCE)
    return listener


def read_all(connection):
    parts = []
    while True:
        data = connection.recv(1 << 16)
        if not data:
            return b"".join(parts)
        parts.append(data)


def children(pid):
    """The processes below `pid`, oldest first."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as stream:
                direct = [int(word) for word in stream.read().split()]
        except FileNotFoundError:
            continue
        for child in direct:
            found.append(child)
            found += children(child)
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
            return stream.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # it may go between open and read
        return False


def wait_gone(pid):
    """Waits until the process runs no more."""
    end = time.monotonic() + PATIENCE
    while is_alive(pid):
        if time.monotonic() > end:
            raise AssertionError(f"process {pid} goes on")
        time.sleep(0.001)
