"""Real programs on a wire: weir run --link wire:NAME beside each other, without the kernel's network.

Members that are killed, that stop, that write what they should not; other users.
"""
import array
import ctypes
import hashlib
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys

import lan
import rig
import tap

NOBODY = 65534
SMALL, WHOLE = 1_000_000, 10_000_000
SERVER, CLIENT, THIRD = "10.0.0.2", "10.0.0.3", "10.0.0.4"
ADDRESS6 = {SERVER: "fd00:5::2", CLIENT: "fd00:5::3", THIRD: "fd00:5::4"}
SLOW_READER = """
import socket, sys
s = socket.create_connection((sys.argv[1], 80))
s.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
s.recv(1000)
print("reading", flush=True)
while s.recv(65536): pass
"""
ECHO = """
import os, socket, sys, threading
s = socket.create_connection((sys.argv[1], 7))
text, back = os.urandom(300000), b""
threading.Thread(target=s.sendall, args=(text,)).start()
while len(back) < len(text): back += s.recv(65536)
print(len(back), "bytes are", "the same" if back == text else "others")
"""
LISTEN = """
import socket
l = socket.create_server(("0.0.0.0", 80))
print("ready", flush=True)
c, _ = l.accept()
print("accepted", flush=True)
try:
    while c.recv(65536): pass
    print("end of the stream", flush=True)
except OSError as error:
    print(error, flush=True)
"""
LANE = 1 << 17
MEMORY = 4096 + 2 * LANE


def sha256(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


class Case(rig.Case):
    name = "wire:lab"

    def setUp(self):
        super().setUp()
        self.env = {"XDG_RUNTIME_DIR": self.folder}
        self.copy = self.path("copy")

    def on(self, ip, *words, options=(), name=None, **more):
        """A program on the wire, with both kinds of addresses."""
        where = ("--link", name or self.name, "--ip", ip + "/24", "--ip", ADDRESS6[ip] + "/64")
        return self.weir(*words, options=(*where, *options), env=self.env, **more)

    def serve(self, file, ip=SERVER, address="0.0.0.0", options=()):
        server = self.on(ip, sys.executable, os.path.join(rig.SUPPORT, "web_program.py"), address, "80", file,
                         options=options)
        server.wait_for("^ready$")
        return server

    def curl(self, *words, ip=CLIENT, options=()):
        client = self.on(ip, "curl", "-sS", "--max-time", "60", *words, options=options)
        self.assertEqual(client.exit(70), 0, client.err)
        return client

    def fetch(self, file, *words, ip=CLIENT, options=(), url=f"http://{SERVER}/"):
        client = self.curl(*words, url, "-o", self.copy, ip=ip, options=options)
        self.assertEqual(sha256(self.copy), sha256(file))
        return client

    def tool(self, *words, status=0):
        done = subprocess.run([rig.WEIR, *words], capture_output=True, text=True, timeout=rig.PATIENCE, check=False,
                              env={**os.environ, **self.env})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def stack_of(self, program):
        """The process that has the stack."""
        for child in rig.children(program.pid):
            with open(f"/proc/{child}/maps", encoding="ascii") as stream:
                if "memfd:weir-wire" in stream.read():
                    return child
        self.fail("no process of it shares memory")
        return None


class Two(Case):
    def test_curl_fetches_and_uploads(self):
        file = lan.make_file(self.path("file"), WHOLE)
        self.serve(file)
        client = self.fetch(file)
        self.assertRegex(client.err, rf"(?m)^weir: wire lab: weir is {CLIENT}/24$")
        self.assertRegex(client.err, rig.SUMMARY)
        self.assertEqual(self.curl(f"http://{SERVER}/", "-T", file).out, sha256(file))

    def test_over_ip6(self):
        file = lan.make_file(self.path("file"), SMALL)
        self.serve(file, address="::")
        self.fetch(file, "-6", url=f"http://[{ADDRESS6[SERVER]}]/")

    def test_without_offloads_at_either_end(self):
        file = lan.make_file(self.path("file"), SMALL)
        server = self.serve(file)
        self.fetch(file, options=("--no-offload",))
        server.signal(signal.SIGTERM)
        server.exit()
        self.serve(file, options=("--no-offload",))
        self.fetch(file)

    def test_over_a_network_that_loses(self):
        file = lan.make_file(self.path("file"), 1_000_000)
        self.serve(file)
        client = self.fetch(file, options=("--net", "delay 1ms loss 2%", "--seed", "3"))
        self.assertRegex(client.err, r"the network lost \d+ up, [1-9]\d* down")

    def test_an_address_that_is_taken(self):
        first = self.on(SERVER, "sh", "-c", "echo ready; exec sleep 1000")
        first.wait_for("^ready$")
        second = self.on(SERVER, "true")
        self.assertEqual(second.exit(), 2)
        self.assertRegex(second.err, r"^weir: wire lab has a member with this address already .*: choose another --ip$")

    def test_settings(self):
        file = lan.make_file(self.path("file"), SMALL)
        self.name = "wire:jumbo,ring=131072,members=3,mtu=9000"
        self.serve(file)
        self.fetch(file)

    def test_netcat_and_datagrams(self):
        server = self.on(SERVER, "nc", "-u", "-l", "-p", "5000", stdin=subprocess.PIPE)
        server.wait_for(f"weir is {SERVER}", stream="err")
        client = self.on(CLIENT, "nc", "-u", SERVER, "5000", stdin=subprocess.PIPE)
        client.wait_for(f"weir is {CLIENT}", stream="err")
        while "question" not in server.out:  # nothing says that a socket is bound
            client.child.stdin.write(b"question\n")
            client.child.stdin.flush()
            client.changed.acquire()
            client.changed.wait(0.05)
            client.changed.release()
        server.child.stdin.write(b"answer\n")
        server.child.stdin.flush()
        client.wait_for("^answer$")
        client.child.stdin.close()
        server.child.stdin.close()

    def test_ping_dump_and_capture(self):
        capture = self.path("x.pcapng")
        there = self.on(SERVER, "sh", "-c", "echo ready; exec sleep 1000", options=("--pcapng", capture))
        there.wait_for("^ready$")
        dump = self.start(rig.WEIR, "dump", "--run", there.pid, "-l", "-c", "4", "icmp", env=self.env)
        dump.wait_for("listening to the stack", stream="err")
        words = ("ping", "--link", "wire:lab", "--ip", CLIENT + "/24", "-c", "2", "-i", "0.01", SERVER)
        self.assertIn("2 packets transmitted, 2 received, 0% packet loss", self.tool(*words))
        self.assertEqual(dump.exit(), 0, dump.err)
        for kind in ("request", "reply"):
            self.assertIn(f"ICMP echo {kind}", dump.out)
        words = ("ping", "--link", "wire:lab", "--ip", ADDRESS6[CLIENT] + "/64", "-c", "1", ADDRESS6[SERVER])
        self.assertIn(f"64 bytes from {ADDRESS6[SERVER]}", self.tool(*words))
        there.signal(signal.SIGTERM)
        there.exit()
        self.assertIn("ICMP echo request", self.tool("dump", "-r", capture, "icmp"))

    @rig.need("setpriv")
    def test_without_any_privilege(self):
        if os.geteuid() != 0:
            self.skipTest("this is what all the others do")
        file = lan.make_file(self.path("file"), SMALL)
        os.chown(self.folder, NOBODY, NOBODY)
        as_nobody = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--no-new-privs",
                     "--inh-caps=-all", "--bounding-set=-all", rig.WEIR, "run", "--link", "wire:lab")
        web = os.path.join(rig.SUPPORT, "web_program.py")
        if subprocess.run([*as_nobody[:8], "test", "-r", web, "-a", "-x", sys.executable], check=False).returncode:
            self.skipTest("this tree, or python, is not readable for other users")
        server = self.start(*as_nobody, "--ip", SERVER, "--", sys.executable, web, "0.0.0.0", "80", file, env=self.env)
        server.wait_for("^ready$")
        client = self.start(*as_nobody, "--ip", CLIENT, "--", "curl", "-sS", f"http://{SERVER}/", env=self.env)
        self.assertEqual(client.exit(60), 0, client.err)
        with open(file, "rb") as stream:
            self.assertTrue(client.bytes["out"] == stream.read(), "the bytes differ")


class Library(Case):
    """Programs with libweir are members, too."""

    def example(self, name, *words):
        return self.start(os.path.join(os.environ["WEIR_BUILD"], "examples", "example-" + name), *words, env=self.env)

    def test_echo(self):
        self.example("echo", "wire:lab")
        client = self.on(CLIENT, sys.executable, "-u", "-c", ECHO, SERVER)
        self.assertEqual(client.exit(), 0, client.err)
        self.assertEqual(client.out, "300000 bytes are the same\n")

    def test_a_router_joins_two_wires(self):
        router = self.example("router", "wire:left=10.0.0.1/24", "wire:right=10.0.1.1/24,delay 1ms loss 1%")
        router.wait_for("^router: 2 networks$", "err")
        file = lan.make_file(self.path("file"), SMALL)
        web = os.path.join(rig.SUPPORT, "web_program.py")
        server = self.weir(sys.executable, web, "0.0.0.0", "80", file, env=self.env,
                           options=("--link", "wire:left", "--ip", SERVER + "/24", "--gw", "10.0.0.1"))
        server.wait_for("^ready$")
        client = self.weir("curl", "-sS", "--max-time", "60", f"http://{SERVER}/", "-o", self.copy, env=self.env,
                           options=("--link", "wire:right", "--ip", "10.0.1.2/24", "--gw", "10.0.1.1"))
        self.assertEqual(client.exit(70), 0, client.err)
        self.assertEqual(sha256(self.copy), sha256(file))
        router.signal(signal.SIGTERM)
        self.assertEqual(router.exit(), 0, router.err)


class Three(Case):
    """A member in trouble beside two that work."""

    def setUp(self):
        super().setUp()
        self.file = lan.make_file(self.path("file"), WHOLE)

    def test_a_member_that_is_killed_in_a_transfer(self):
        self.serve(self.file)
        victim = self.on(THIRD, sys.executable, "-u", "-c", SLOW_READER, SERVER)
        victim.wait_for("^reading$")
        stack = self.stack_of(victim)
        os.kill(stack, signal.SIGKILL)
        rig.wait_gone(stack)
        self.fetch(self.file)
        self.fetch(self.file, ip=THIRD)  # the same address, with another MAC

    def test_a_server_that_is_killed_is_replaced(self):
        server = self.on(SERVER, sys.executable, "-u", "-c", LISTEN)
        server.wait_for("^ready$")
        client = self.on(CLIENT, "sh", "-c", f"yes | nc {SERVER} 80")
        server.wait_for("^accepted$")
        os.kill(self.stack_of(server), signal.SIGKILL)
        server.exit()
        self.serve(self.file)
        self.fetch(self.file, ip=THIRD)
        client.signal(signal.SIGTERM)

    def test_a_member_that_stops(self):
        self.serve(self.file)
        sleeper = self.on(THIRD, "sh", "-c", "echo ready; exec sleep 1000")
        sleeper.wait_for("^ready$")
        stack = self.stack_of(sleeper)
        os.kill(stack, signal.SIGSTOP)
        self.fetch(self.file)
        self.fetch(self.file)  # who comes now connects to it, too, and does not wait
        os.kill(stack, signal.SIGCONT)
        words = ("ping", "--link", "wire:lab", "--ip", "10.0.0.9/24", "-c", "1", THIRD)
        self.assertIn("1 received", self.tool(*words))

    def test_a_peer_that_writes_garbage(self):
        server = self.serve(self.file)
        rogue = Rogue(self.folder + "/weir")
        self.addCleanup(rogue.close)
        rogue.hello()
        rogue.garbage()
        self.assertTrue(rogue.is_cut_off())
        self.fetch(self.file)
        rogue = Rogue(self.folder + "/weir")  # and one that goes on while others work
        self.addCleanup(rogue.close)
        rogue.hello()
        rogue.flood()
        self.fetch(self.file)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.exit(), 128 + signal.SIGTERM)
        self.assertRegex(server.err, rig.SUMMARY)


class Rogue:
    """A stranger of the same user, who knows how to say hello, and nothing of the rest."""
    F_ADD_SEALS, SEALS = 1033, 7

    def __init__(self, folder):
        self.memory = os.memfd_create("rogue", os.MFD_ALLOW_SEALING)
        os.ftruncate(self.memory, MEMORY)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.fcntl(self.memory, self.F_ADD_SEALS, self.SEALS) != 0:
            raise OSError(ctypes.get_errno(), "F_ADD_SEALS")
        self.map = mmap.mmap(self.memory, MEMORY)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(rig.PATIENCE)
        self.socket.connect(os.path.join(folder, os.listdir(folder)[0]))

    def close(self):
        self.socket.close()
        self.map.close()
        os.close(self.memory)

    def hello(self):
        word = struct.pack("<8sIIIIB6s17s", b"weirwire", 1, 1, 0, LANE, 1, b"\2rogue", b"").ljust(48, b"\0")
        self.socket.sendmsg([word], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [self.memory]))])
        answer = self.socket.recv(100)
        if len(answer) != len(word) or struct.unpack_from("<I", answer, 12)[0] != 2:
            raise AssertionError(f"no welcome: {answer}")

    def garbage(self):
        """An impossible length in the first record of 16 MiB."""
        self.map[4096:4096 + LANE] = b"\xff" * LANE
        self.map[0:4] = struct.pack("<I", 4096)
        self.socket.send(b"!")

    def flood(self):
        """Records that are all right, and the frames in them are not."""
        self.map[4096:4096 + LANE] = (struct.pack("<IHBBQ", 60, 0, 1, 0, 0) + bytes(64)) * (LANE // 80) + bytes(LANE % 80)
        for turn in range(1000):
            self.map[0:4] = struct.pack("<I", 80 * (turn + 1) % (LANE // 80 * 80))
            self.socket.send(b"!")

    def is_cut_off(self):
        while True:
            try:
                if not self.socket.recv(100):
                    return True
            except ConnectionResetError:
                return True


if __name__ == "__main__":
    tap.main()
