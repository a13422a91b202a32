"""The program's own network namespace: what bypasses the door meets no network, and all that should
still work does. Each case runs as the caller and, where the caller is root, as nobody as well."""
import ctypes
import errno
import os
import platform
import socket
import subprocess
import sys
import time
import unittest

import rig
import tap

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# socket() and connect() past every library: argv is ADDRESS PORT, the answer one word.
RAW = r"""
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
static long raw(long n, long a, long b, long c)
{
    long v;
    __asm__ volatile("syscall" : "=a"(v) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return v;
}
int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    long fd = raw(SYS_socket, AF_INET, SOCK_STREAM, 0), v;
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    v = raw(SYS_connect, fd, (long)&to, sizeof to);
    puts(v == -ENETUNREACH ? "unreachable" : v == -ECONNREFUSED ? "refused" : "out");
    return argc != 3;
}
"""

ECHO = """
import socket
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1])
while True:
    with listener.accept()[0] as connection:
        connection.sendall(connection.recv(100).upper())
"""

ASK = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as s:
    s.sendall(b'word')
    print(s.recv(100))
"""


def compile_raw(folder, name, *flags):
    source = os.path.join(folder, name + ".c")
    with open(source, "w", encoding="ascii") as stream:
        stream.write(RAW)
    subprocess.run(["cc", *flags, "-o", os.path.join(folder, name), source], check=True)


SYS_PIDFD_GETFD = 438


def daemon_of(program):
    """The process of `weir run` that has the stack."""
    for pid in rig.children(program.pid):
        with open(f"/proc/{pid}/comm", encoding="ascii") as stream:
            if stream.read() == "weir\n":
                return pid
    raise AssertionError("no daemon below the program")


def copies_of_sockets(pid):
    """Descriptors of ours for all sockets of another process."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    copies = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            is_socket = os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:  # closed meanwhile
            continue
        if is_socket:
            copies.append(libc.syscall(SYS_PIDFD_GETFD, process, int(fd), 0))
            if copies[-1] < 0 and ctypes.get_errno() != errno.EBADF:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
    os.close(process)
    return [copy for copy in copies if copy >= 0]


class Here(rig.Case):
    """As whoever runs the tests."""
    AS = []

    def setUp(self):
        super().setUp()
        self.copy_weir_for(self.AS)

    def run_weir(self, *words, options=(), **more):
        program = self.start(*self.AS, self.path("weir"), "run", *options, "--", *words, **more)
        self.addCleanup(self.check_words, program)
        return program

    def run_python(self, text, *words, options=(), **more):
        return self.run_weir(sys.executable, "-u", "-c", text, *words, options=options, **more)

    def echo_server(self, options=()):
        server = self.run_python(ECHO, options=options)
        return server, server.wait_for(r"^\d+$")[0]

    def echo_often(self, port, count):
        for i in range(count):
            with rig.connect(int(port)) as connection:
                connection.sendall(b"n%d" % i)
                self.assertEqual(connection.recv(100), b"N%d" % i)

    def prints(self, program, wanted):
        self.end_well(program)
        self.assertEqual(program.out.strip(), wanted, program.err)


@rig.need("cc")
@unittest.skipUnless(platform.machine() == "x86_64", "the raw calls are written for x86-64")
class Leaks(Here):
    def setUp(self):
        super().setUp()
        compile_raw(self.folder, "raw")

    def test_a_raw_call_finds_no_way_out(self):
        self.prints(self.run_weir(self.path("raw"), "198.51.100.7", 9), "unreachable")

    def test_nor_do_children_and_what_they_execute(self):
        script = f"({self.path('raw')} 198.51.100.7 9); exec {self.path('raw')} 198.51.100.8 9"
        self.prints(self.run_weir("sh", "-c", script), "unreachable\nunreachable")

    def test_nor_one_without_the_preload_door(self):
        words = ["env", "-u", "LD_PRELOAD", sys.executable, "-c",
                 "import socket; print(socket.socket().connect_ex(('198.51.100.7', 9)))"]
        self.prints(self.run_weir(*words), "101")

    def test_the_hosts_listeners_are_not_met_past_the_door(self):
        with rig.listen() as listener:
            port = listener.getsockname()[1]
            self.prints(self.run_weir(self.path("raw"), "127.0.0.1", port), "refused")

    def test_without_isolation_they_are(self):
        with rig.listen() as listener:
            port = listener.getsockname()[1]
            program = self.run_weir(self.path("raw"), "127.0.0.1", port, options=["--no-isolation"])
            self.prints(program, "out")


class Names(Here):
    def test_localhost_by_name(self):
        with rig.listen() as listener:
            program = self.run_python(ASK, "localhost", listener.getsockname()[1])
            connection = listener.accept()[0]
            connection.sendall(b"back")
            connection.close()
            self.prints(program, "b'back'")

    @rig.need("ip")
    def test_interfaces_show_the_hosts_addresses(self):
        command = ["ip", "-4", "-o", "addr", "show"]
        host = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        program = self.run_weir(*command)
        self.end_well(program)
        self.assertEqual({line.split()[3].split("/")[0] for line in program.out.splitlines()},
                         {line.split()[3].split("/")[0] for line in host.splitlines()} | {"127.0.0.1"})

    def test_no_ip6_is_announced(self):
        text = "import socket; print(socket.getaddrinfo('localhost', 80, type=socket.SOCK_STREAM)[0][4])"
        self.prints(self.run_python(text), "('127.0.0.1', 80)")


class Neighbours(Here):
    def test_two_programs_in_one_run(self):
        text = ECHO.replace("while True:", "import os\nif os.fork():\n  port = listener.getsockname()[1]\n"
                            "  listener.close()\n  s = socket.create_connection(('127.0.0.1', port))\n"
                            "  s.sendall(b'word')\n  print(s.recv(100))\n  s.close()\nelse:")
        program = self.run_python(text.replace("while True:", "if True:"))
        self.end_well(program)
        self.assertIn("b'WORD'", program.out)

    def test_two_runs(self):
        port = self.echo_server()[1]
        self.prints(self.run_python(ASK, "127.0.0.1", port), "b'WORD'")

    def test_a_run_within_a_run(self):
        port = self.echo_server()[1]
        program = self.run_weir(self.path("weir"), "run", "--", sys.executable, "-c", ASK, "127.0.0.1", port,
                                env={"ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.prints(program, "b'WORD'")

    def test_one_with_and_one_without_isolation(self):
        port = self.echo_server(["--no-isolation"])[1]
        self.prints(self.run_python(ASK, "127.0.0.1", port), "b'WORD'")

    def test_more_connections_than_sockets_at_hand(self):
        self.echo_often(self.echo_server()[1], 300)

    def test_sockets_of_which_another_has_copies(self):
        server, port = self.echo_server()
        self.echo_often(port, 2)  # sockets for the next ones are at hand then
        copies = copies_of_sockets(daemon_of(server))
        self.addCleanup(lambda: [os.close(copy) for copy in copies])
        self.assertGreater(len(copies), 50)
        self.echo_often(port, 50)

    def test_many_connections_at_once(self):
        port = int(self.echo_server()[1])
        all_of_them = [rig.connect(port) for _ in range(200)]
        for i, connection in enumerate(all_of_them):
            with connection:
                connection.sendall(b"n%d" % i)
                self.assertEqual(connection.recv(100), b"N%d" % i)

    def test_unix_sockets_by_path(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("socket"))
            os.chmod(self.path("socket"), 0o777)
            listener.listen()
            text = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(9))"
            program = self.run_python(text, self.path("socket"))
            connection = listener.accept()[0]
            connection.sendall(b"path")
            self.prints(program, "b'path'")
            connection.close()


@rig.need("ip")
class Tools(Here):
    """On a host of their own, for the tools ask any daemon that they find."""
    IS_ROOT = os.geteuid() == 0

    def setUp(self):
        super().setUp()
        new = ["unshare", "-n"] if self.IS_ROOT else ["unshare", "-Urn"]
        self.caller = self.AS
        self.AS = [*new, "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *self.AS]

    def tool(self, program, *words):
        into = ["-n"] if self.IS_ROOT else ["-U", "-n", "--preserve-credentials"]
        answer = subprocess.run(["nsenter", "-t", str(program.pid), *into, *self.caller, self.path("weir"), *words],
                                capture_output=True, text=True, timeout=rig.PATIENCE, check=False)
        self.assertEqual(answer.returncode, 0, answer)
        return answer.stdout

    def test_ss_and_sysctl_find_the_daemon_from_outside(self):
        server, port = self.echo_server(["--set", "net.ipv4.tcp_fin_timeout=37"])
        self.assertIn(f":{port}", self.tool(server, "ss", "-tln"))
        self.assertIn("37", self.tool(server, "sysctl", "net.ipv4.tcp_fin_timeout"))
        self.assertIsNone(server.child.poll())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_another_user_may_neither_look_nor_set(self):
        server, _ = self.echo_server()
        for words in (["ss", "-tln"], ["sysctl", "net.ipv4.tcp_fin_timeout=7"]):
            answer = subprocess.run(["nsenter", "-t", str(server.pid), "-n", "setpriv", "--reuid=1234", "--regid=1234",
                                     "--clear-groups", self.path("weir"), *words],
                                    capture_output=True, text=True, timeout=rig.PATIENCE, check=False)
            self.assertIn("another user's", answer.stderr)
        self.assertIn("= 60", self.tool(server, "sysctl", "net.ipv4.tcp_fin_timeout"))

    def test_ss_finds_it_from_inside(self):
        text = ECHO.replace("while True:", "import subprocess, sys\nsubprocess.run([sys.argv[1], 'ss', '-tln'])\n"
                            "while False:")
        program = self.run_python(text, self.path("weir"), env={"ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.end_well(program)
        self.assertRegex(program.out, r"(?s)(\d+)\n.*LISTEN.*:\1")


class Ends(Here):
    def gone(self, is_gone):
        """What the daemon learns by looking again and again."""
        end = time.monotonic() + rig.PATIENCE
        while not is_gone():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def is_refused(self, port):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) != 0

    def test_a_listener_is_gone_though_its_connection_lives(self):
        text = ("import socket\nl = socket.create_server(('127.0.0.1', 0))\nprint(l.getsockname()[1])\n"
                "c = l.accept()[0]\nl.close()\nprint('closed')\nprint(c.recv(9))")
        program = self.run_python(text)
        port = int(program.wait_for(r"^\d+$")[0])
        with rig.connect(port) as connection:
            program.wait_for("closed")
            self.gone(lambda: self.is_refused(port))
            connection.sendall(b"still")
            program.wait_for("b'still'")
        self.end_well(program)

    def test_a_closed_listener_refuses_at_once(self):
        text = ("import socket\nl = socket.create_server(('127.0.0.1', 0))\nto = l.getsockname()\nl.close()\n"
                "print(socket.socket().connect_ex(to))")
        self.prints(self.run_python(text), "111")

    def test_a_closed_datagram_socket_refuses_at_once(self):
        text = ("import socket\nl, s = [socket.socket(type=socket.SOCK_DGRAM) for i in (1, 2)]\n"
                "l.bind(('127.0.0.1', 0))\ns.connect(l.getsockname())\nl.close()\ns.send(b'anybody')\n"
                "try:\n  s.recv(9)\nexcept ConnectionRefusedError:\n  print('refused')")
        self.prints(self.run_python(text), "refused")

    def test_what_was_sent_before_the_close_arrives(self):
        with socket.socket(type=socket.SOCK_DGRAM) as receiver:
            receiver.settimeout(rig.PATIENCE)
            receiver.bind(("127.0.0.1", 0))
            text = ("import socket, sys\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.bind(('127.0.0.1', 0))\n"
                    "print(s.getsockname()[1])\nfor i in range(100):\n"
                    "  s.sendto(b'%d' % i, ('127.0.0.1', int(sys.argv[1])))\ns.close()")
            program = self.run_python(text, receiver.getsockname()[1])
            got = [receiver.recvfrom(100) for _ in range(100)]
            self.end_well(program)
        self.assertEqual([data for data, _ in got], [b"%d" % i for i in range(100)])
        self.assertEqual({peer[1] for _, peer in got}, {int(program.out)})

    def test_a_closed_port_is_free_at_once(self):
        text = ("import socket\nl = socket.create_server(('127.0.0.1', 0))\nport = l.getsockname()[1]\n"
                "for i in range(20):\n  l.close()\n  l = socket.create_server(('127.0.0.1', port))\nprint('free')")
        self.prints(self.run_python(text), "free")

    def test_nothing_is_left_when_the_program_ends(self):
        program = self.run_weir("true")
        self.end_well(program)
        self.assertRaises(ProcessLookupError, os.killpg, program.pid, 0)

    def test_nothing_is_left_when_the_launcher_is_killed(self):
        program = self.run_python("print('up'); import sys; sys.stdin.read()", stdin=subprocess.PIPE)
        program.wait_for("up")
        os.kill(program.pid, 9)
        program.child.stdin.close()
        program.child.wait(rig.PATIENCE)

        def is_empty():
            try:
                os.killpg(program.pid, 0)
            except ProcessLookupError:
                return True
            return False
        self.gone(is_empty)


class NobodyLeaks(Leaks):
    AS = NOBODY


class NobodyNames(Names):
    AS = NOBODY


class NobodyNeighbours(Neighbours):
    AS = NOBODY


class NobodyTools(Tools):
    AS = NOBODY


class NobodyEnds(Ends):
    AS = NOBODY


class Users(Here):
    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_a_server_may_change_to_its_own_user(self):
        port = self.echo_server()[1]
        text = "import os, sys\nos.setgroups([33])\nos.setgid(33)\nos.setuid(33)\n" + ASK
        self.prints(self.run_python(text, "127.0.0.1", port), "b'WORD'")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_a_user_stays_who_he_is(self):
        self.AS = NOBODY
        self.prints(self.run_weir("id", "-u"), "65534")

    def test_where_namespaces_are_forbidden_one_line_says_so(self):
        script = "echo 0 > /proc/sys/user/max_net_namespaces; exec \"$@\""
        self.AS = ["unshare", "-Ur", "sh", "-c", script, "sh"]
        program = self.run_weir("echo", "ran")
        self.prints(program, "ran")
        self.assertRegex(program.err, r"\Aweir: no network namespace \(.*sysctl -w user.max_net_namespaces="
                         r".*--no-isolation\n")

    @rig.need("cc")
    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    @unittest.skipUnless(platform.machine() == "x86_64", "the raw calls are written for x86-64")
    def test_a_static_program_is_carried(self):
        """Whoever starts it, and without a namespace of its own too."""
        compile_raw(self.folder, "static", "-static")
        for start, options in ((self.AS, ()), (NOBODY, ()), (NOBODY, ["--no-isolation"])):
            with self.subTest(start=start, options=options), rig.listen() as listener:
                self.AS = start
                port = listener.getsockname()[1]
                program = self.run_weir(self.path("static"), "127.0.0.1", port, options=options)
                self.prints(program, "out")
                self.assertRegex(program.err, "[1-9] segments out")


if __name__ == "__main__":
    tap.main()
