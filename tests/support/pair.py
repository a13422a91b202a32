"""What tests with a veth pair share: this process lives in a network namespace of its own with one end,
WEIR_DEV, beside which weir is a station; a keeper process holds another namespace with the other end,
FAR_DEV, whose kernel is the peer. Both go away with the processes.

The classes are bases for a file that says `kind`, the word of --link.
"""
import ctypes
import hashlib
import os
import signal
import subprocess
import sys

import lan
import rig

WEIR_DEV, FAR_DEV = "wnear", "wfar"
FAR, WEIR = "10.88.0.1", "10.88.0.2"
FAR6, WEIR6 = "fd00:88::1", "fd00:88::2"
SIZE = 3_000_000
ECHO6 = os.path.join(rig.SUPPORT, "echo6.py")


def why_not():
    if os.geteuid() != 0:
        return "needs root: network namespaces and packet sockets"
    for program in ("ip", "nsenter", "unshare", "ping", "curl"):
        if not rig.find(program):
            return "not installed: " + program
    if ctypes.CDLL(None, use_errno=True).unshare(lan.CLONE_NEWNET) != 0:
        return "unshare: " + os.strerror(ctypes.get_errno())
    try:
        lan.ip("link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
        lan.ip("link", "del", "probe0")
    except subprocess.CalledProcessError as error:
        return "no veth pair: " + error.stderr.strip()
    return None


def enter(more_reasons=lambda: None):
    reason = why_not() or more_reasons()
    if reason:
        print(f"1..0 # SKIP {reason}\nskipped: {reason}", flush=True)
        sys.exit(0)
    quiet()
    lan.ip("link", "set", "lo", "up")


def quiet():
    """This namespace's kernel says nothing by IPv6 of itself."""
    for where in ("all", "default"):
        with open(f"/proc/sys/net/ipv6/conf/{where}/disable_ipv6", "w", encoding="ascii") as knob:
            knob.write("1")


def sha256(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


# Sends what it says as one superframe of UDP, twelve datagrams of 1000 bytes and a short one.
SEGMENTS = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 1000)
s.sendto(b"".join(bytes([65 + i]) * 1000 for i in range(12)) + b"end", (sys.argv[1], 7001))
"""

# Sends frames of 60 bytes to a MAC, as many as it is told.
FRAMES = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
frame = bytes.fromhex(sys.argv[2].replace(":", "")) + s.getsockname()[4] + b"\\x88\\xb5" + bytes(46)
for _ in range(int(sys.argv[4])):
    s.send(frame)
"""
# Sends superframes of UDP, 40 datagrams of 1400 bytes each.
SUPERFRAMES = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 1400)
for _ in range(int(sys.argv[4])):
    s.sendto(bytes(56000), (sys.argv[3], 7001))
"""


class Case(rig.Case):
    kind, mode, mtu, options = None, "", 1500, ()

    def setUp(self):
        super().setUp()
        self.keeper = self.start("unshare", "-n", "sh", "-c", "echo ready; exec sleep 1000")
        self.keeper.wait_for("^ready$")
        lan.ip("link", "add", WEIR_DEV, "mtu", str(self.mtu), "type", "veth", "peer", "name", FAR_DEV,
               "mtu", str(self.mtu), "netns", str(self.keeper.pid))
        self.addCleanup(self.remove)
        lan.ip("link", "set", WEIR_DEV, "up")
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{FAR}/24", "dev", FAR_DEV),
                      ("-6", "addr", "add", f"{FAR6}/64", "dev", FAR_DEV, "nodad"), ("link", "set", FAR_DEV, "up")):
            self.beyond("ip", *words)

    @staticmethod
    def remove():
        subprocess.run([rig.find("ip"), "link", "del", WEIR_DEV], check=False, stderr=subprocess.DEVNULL)

    def words(self, *words):
        return ["nsenter", "-t", str(self.keeper.pid), "-n", *words]

    def beyond(self, *words, status=0):
        """What a program beyond the pair prints, with the kernel's sockets."""
        done = subprocess.run(self.words(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def far(self, *words, **more):
        return self.start(*self.words(*words), **more)

    def near(self, *words, options=(), **more):
        return self.weir(*words, options=("--link", f"{self.kind}:{WEIR_DEV}{self.mode}", "--ip", f"{WEIR}/24", "--gw", FAR,
                                          "--ip", f"{WEIR6}/64", *self.options, *options), **more)

    def idle(self, options=()):
        program = self.near("sh", "-c", "echo ready; exec sleep 1000", options=options)
        program.wait_for("^ready$")
        return program

    def processes(self, program, *names):
        """Of those that `program` is and has started, the ones of these names."""
        found = []
        for pid in [program.pid, *rig.children(program.pid)]:
            with open(f"/proc/{pid}/comm", encoding="ascii") as stream:
                if stream.read().startswith(names):
                    found.append(pid)
        return found

    def ended(self, program):
        """What weir says when what it runs has ended."""
        for pid in self.processes(program, "sleep", "sh"):
            os.kill(pid, signal.SIGTERM)
        program.exit()
        return program.err

    def flood_while_stopped(self, program, count, what=FRAMES):
        """Sends `count` frames to a stack that is stopped, and lets it go on."""
        self.ping(WEIR)
        mac = self.beyond("ip", "neigh", "show", WEIR).split("lladdr ")[1].split()[0]
        stack = self.processes(program, "weir")
        for pid in stack:
            os.kill(pid, signal.SIGSTOP)
        self.beyond(sys.executable, "-c", what, FAR_DEV, mac, WEIR, str(count))
        for pid in stack:
            os.kill(pid, signal.SIGCONT)

    def web(self, start, address, file):
        server = start(sys.executable, os.path.join(rig.SUPPORT, "web_program.py"), address, 80, file)
        server.wait_for("^ready$")
        return server

    def fetch(self, start, url):
        client = start("curl", "-gsS", "--max-time", "60", "-o", self.path("copy"), url)
        self.assertEqual(client.exit(70), 0, client.err)
        self.assertEqual(sha256(self.path("copy")), sha256(self.path("file")))
        return client

    def upload(self, start, url):
        client = start("curl", "-gsS", "--max-time", "60", "-T", self.path("file"), url)
        self.assertEqual(client.exit(70), 0, client.err)
        self.assertEqual(client.out, sha256(self.path("file")))

    def ping(self, address, *words):
        self.assertIn(" 0% packet loss", self.beyond("ping", "-c", "3", "-i", "0.05", "-W", "5", *words, address))


class Ways(Case):
    """Ping, and transfers in each direction by clients and servers of both kinds."""
    largest = 1472  # bytes of ping in one frame

    def setUp(self):
        super().setUp()
        lan.make_file(self.path("file"), SIZE)

    def test_both_ping(self):
        self.idle()
        for size in (56, self.largest):
            self.ping(WEIR, "-s", str(size), "-M", "do")
        answer = self.start(rig.WEIR, "ping", "-c", "3", "-i", "0.05", FAR)
        self.assertEqual(answer.exit(), 0, answer.err)
        self.assertIn(" 0% packet loss", answer.out)

    def test_fragments_cross(self):
        self.idle()
        self.ping(WEIR, "-s", "20000")
        self.ping(WEIR6, "-s", "20000")
        answer = self.start(rig.WEIR, "ping", "-c", "2", "-i", "0.05", "-s", "20000", FAR)
        self.assertEqual(answer.exit(), 0, answer.err)

    def test_weir_is_the_client(self):
        self.web(self.far, "::", self.path("file"))
        for address in (FAR, f"[{FAR6}]"):
            self.end_well(self.fetch(self.near, f"http://{address}/"))
        self.upload(self.near, f"http://{FAR}/")

    def test_weir_is_the_server(self):
        server = self.web(self.near, "::", self.path("file"))
        for address in (WEIR, f"[{WEIR6}]"):
            self.fetch(self.far, f"http://{address}/")
            self.upload(self.far, f"http://{address}/")
        server.signal(15)
        self.assertEqual(server.exit(), 128 + 15)
        self.assertRegex(server.err, rig.SUMMARY)
        self.assertNotIn("the link lost", server.err)

    def test_datagrams_without_a_checksum_yet(self):
        """The kernel beyond leaves UDP's checksum to the device, which is none."""
        served = self.near(sys.executable, ECHO6, "serve", "::", 7777)
        served.wait_for("^ready$")
        asked = self.far(sys.executable, ECHO6, "ask", WEIR6, 7777, 1, 1000, 1400)
        asked.exit(20)
        self.assertEqual(asked.out.split(), ["1", "ok", "1000", "ok", "1400", "ok"], asked.err)

    @rig.need("nginx")
    def test_nginx(self):
        os.chmod(self.folder, 0o755)
        with open(self.path("conf"), "w", encoding="ascii") as conf:
            conf.write("daemon off; worker_processes 2; pid %s/pid; error_log stderr; events { } http { access_log off; "
                       "server { listen 80; root %s; } }" % (self.folder, self.folder))
        server = self.near(rig.find("nginx"), "-c", self.path("conf"), "-e", "stderr")
        self.beyond("sh", "-c", f"for i in $(seq 500); do curl -so /dev/null http://{WEIR}/conf && exit; sleep .02; done; "
                                "exit 1")
        client = self.far("curl", "-sS", "--parallel", f"http://{WEIR}/file?[1-10]", "-o", self.path("copy#1"))
        self.assertEqual(client.exit(60), 0, client.err)
        for i in range(1, 11):
            self.assertEqual(sha256(self.path(f"copy{i}")), sha256(self.path("file")))
        server.signal(3)
        self.end_well(server)

    def test_the_kernel_beside_it_stays_silent(self):
        """It hears weir's frames and must not reset what it does not know."""
        lan.ip("addr", "add", "10.88.0.3/24", "dev", WEIR_DEV)
        server = self.web(self.near, "::", self.path("file"))
        self.fetch(self.far, f"http://{WEIR}/")
        self.ping("10.88.0.3")
        with open("/proc/net/snmp", encoding="ascii") as stream:
            names, values = [line.split() for line in stream if line.startswith("Tcp:")]
        self.assertEqual(values[names.index("OutRsts")], "0")
        server.signal(15)
        server.exit()


SAY = """
import socket, sys, time
while True:
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        s.connect((sys.argv[1], 9))
        if s.getsockname()[0].startswith("fd00"):
            break
    except OSError:
        pass
    time.sleep(0.02)
print("from", s.getsockname()[0], flush=True)
time.sleep(1000)
"""


@rig.need("dnsmasq")
class Configured(Case):
    """A server beyond gives an IPv4 address, a router an IPv6 prefix: broadcasts and groups arrive."""

    def test_by_dhcp_and_by_a_router(self):
        server = self.far(rig.find("dnsmasq"), "-d", "-C", "/dev/null", "-i", FAR_DEV, "--bind-interfaces", "-R",
                          "-u", "root", "--no-ping", "--dhcp-authoritative", "--enable-ra",
                          "--dhcp-range=10.88.0.50,10.88.0.59,255.255.255.0,120",
                          "--dhcp-range=fd00:88::,ra-only", f"--dhcp-leasefile={self.path('leases')}")
        server.wait_for("started", stream="err")
        program = self.weir(sys.executable, "-u", "-c", SAY, FAR6, options=(
            "--link", f"{self.kind}:{WEIR_DEV}", "--dhcp", "--set", "net.weir.dhcp_acd=0"))
        address = program.wait_for("^from (fd00:88:[0-9a-f:]+)$")[1]
        self.assertRegex(program.err, rf"{self.kind} {WEIR_DEV}: weir is 10\.88\.0\.5\d/24, by DHCP from {FAR}")
        self.ping(address)


READ = """
import errno, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("connected", flush=True)
try:
    while True:
        data = s.recv(65536)
        if not data:
            break
        print("got", data.decode(), flush=True)
    print("end")
except OSError as e:
    print(errno.errorcode[e.errno])
"""
WRITE = """
import socket, sys
l = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
c, _ = l.accept()
for line in sys.stdin:
    c.sendall(line.strip().encode())
"""


class Gone(Case):
    """The interface goes, for a while or for good, below a connection."""

    def connected(self):
        self.writer = self.far(sys.executable, "-u", "-c", WRITE, 7000, stdin=subprocess.PIPE)
        self.writer.wait_for("ready")
        program = self.near(sys.executable, "-u", "-c", READ, FAR, 7000)
        program.wait_for("^connected$")
        return program

    def write(self, word):
        self.writer.child.stdin.write(word.encode() + b"\n")
        self.writer.child.stdin.flush()

    def test_for_good(self):
        program = self.connected()
        lan.ip("link", "del", WEIR_DEV)
        self.assertEqual(program.exit(), 0, program.err)
        self.assertIn(f"weir: {WEIR_DEV} is gone; connections end here\n", program.err)
        self.assertEqual(program.out, "connected\nENETDOWN\n")

    def test_for_a_while(self):
        program = self.connected()
        self.write("one")
        program.wait_for("got one")
        lan.ip("link", "set", WEIR_DEV, "down")
        self.beyond("ip", "link", "set", FAR_DEV, "mtu", "1400")
        lan.ip("link", "set", WEIR_DEV, "up")
        self.write("two")
        program.wait_for("got two")

    def test_down_first(self):
        program = self.connected()
        lan.ip("link", "set", WEIR_DEV, "down")
        subprocess.run([rig.WEIR, "ss"], stdout=subprocess.DEVNULL, check=True)  # the stack goes on
        lan.ip("link", "del", WEIR_DEV)
        self.assertEqual(program.exit(), 0, program.err)
        self.assertIn("is gone; connections end here\n", program.err)


class Mistakes(Case):
    """One line that names the next thing to do, and exit status 2."""

    def check(self, link, *texts, ip=f"{WEIR}/24", before=()):
        done = subprocess.run([*before, rig.WEIR, "run", "--link", link, "--ip", ip, "--", "true"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=rig.PATIENCE)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"\Aweir: [^\n]+\n\Z")
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_no_such_interface(self):
        self.check(f"{self.kind}:wnera", "no interface 'wnera'", f"did you mean '{WEIR_DEV}'?")

    def test_no_ethernet(self):
        self.check(f"{self.kind}:lo", "lo is no Ethernet interface")

    def test_an_interface_that_is_down(self):
        lan.ip("link", "set", WEIR_DEV, "down")
        self.check(f"{self.kind}:{WEIR_DEV}", f"sudo ip link set {WEIR_DEV} up")

    def test_the_kernel_s_own_address(self):
        lan.ip("addr", "add", f"{WEIR}/24", "dev", WEIR_DEV)
        self.check(f"{self.kind}:{WEIR_DEV}", f"{WEIR} is the kernel's own address on {WEIR_DEV}", "another --ip")

    @rig.need("setpriv")
    def test_without_privilege(self):
        self.check(f"{self.kind}:{WEIR_DEV}", "no permission", "sudo",
                   before=("setpriv", "--bounding-set=-all", "--reuid=65534", "--regid=65534", "--clear-groups"))
