"""libc's resolver under weir: it calls the kernel past every door, and its questions still cross the
stack. Each case has a host of its own (network and mounts) with nameservers in python."""
import os
import sys
import unittest

import rig
import tap

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# A host: nameservers at SERVERS, then the words of argv. A name that begins with "long" is answered
# by stream only; 203.0.113.5 is the address of all others. Questions are told on stdout.
HOST = r"""
import socket, struct, subprocess, sys, threading
SERVERS = sys.argv[1].split(',')

def reply(query, is_stream, where):
    end = query.index(b'\0', 12) + 5
    name, kind = query[13:13 + query[12]].decode(), struct.unpack('>H', query[end - 4:end - 2])[0]
    print('asked', where, name, 'stream' if is_stream else 'datagram', flush=True)
    is_cut = name == 'long' and not is_stream
    answers = 0 if is_cut or kind != 1 else 1
    head = query[:2] + (b'\x87\x80' if is_cut else b'\x85\x80') + struct.pack('>HHHH', 1, answers, 0, 0)
    record = b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 60, 4) + socket.inet_aton('203.0.113.5')
    return head + query[12:end] + record * answers

def datagrams(s, where):
    while True:
        query, client = s.recvfrom(4096)
        s.sendto(reply(query, False, where), client)

def streams(l, where):
    while True:
        with l.accept()[0] as c:
            while head := c.recv(2, socket.MSG_WAITALL):
                text = reply(c.recv(struct.unpack('>H', head)[0], socket.MSG_WAITALL), True, where)
                c.sendall(struct.pack('>H', len(text)) + text)

for address in SERVERS:
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.bind((address, 53))
    threading.Thread(target=datagrams, args=(s, address), daemon=True).start()
    threading.Thread(target=streams, args=(socket.create_server((address, 53)), address), daemon=True).start()
sys.exit(subprocess.run(sys.argv[2:]).returncode)
"""

LOOK_UP = """
import socket, sys
for name in sys.argv[1:]:
    print(name, socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)[0][4])
"""


def may_unshare():
    return os.system("unshare -Urnm true 2>/dev/null") == 0 if os.geteuid() else os.system("unshare -nm true") == 0


@rig.need("ip", "unshare")
@unittest.skipUnless(may_unshare(), "no namespaces here")
class Resolver(rig.Case):
    AS = []

    def setUp(self):
        super().setUp()
        self.copy_weir_for(self.AS)

    def host(self, servers, resolv, *words):
        """`weir run -- words`, on a host with these nameservers."""
        with open(self.path("resolv.conf"), "w", encoding="ascii") as stream:
            stream.write(resolv)
        new = ["unshare", "-nm"] if os.geteuid() == 0 else ["unshare", "-Urnm"]
        ready = ("ip link set lo up; ip addr add 198.51.100.53/32 dev lo; "
                 f"mount --bind {self.path('resolv.conf')} /etc/resolv.conf; exec \"$@\"")
        program = self.start(*new, "sh", "-c", ready, "sh", sys.executable, "-c", HOST, servers, *self.AS,
                             self.path("weir"), "run", *words)
        self.addCleanup(self.check_words, program)
        return program

    def look_up(self, servers, resolv, *names, options=()):
        program = self.host(servers, resolv, *options, "--", sys.executable, "-c", LOOK_UP, *names)
        self.end_well(program)
        return program.out

    def test_a_stub_on_loopback(self):
        out = self.look_up("127.0.0.53", "nameserver 127.0.0.53\n", "name.test")
        self.assertIn("asked 127.0.0.53 name datagram", out)
        self.assertIn("name.test ('203.0.113.5', 80)", out)

    def test_a_nameserver_elsewhere(self):
        out = self.look_up("198.51.100.53", "nameserver 198.51.100.53\n", "name.test")
        self.assertIn("asked 198.51.100.53 name datagram", out)
        self.assertIn("name.test ('203.0.113.5', 80)", out)

    def test_a_long_answer_comes_by_stream(self):
        out = self.look_up("127.0.0.11", "nameserver 127.0.0.11\n", "long.test")
        self.assertIn("asked 127.0.0.11 long stream", out)
        self.assertIn("long.test ('203.0.113.5', 80)", out)

    def test_a_refused_question_goes_to_the_next_nameserver_at_once(self):
        out = self.look_up("127.0.0.53", "nameserver 127.0.0.9\nnameserver 127.0.0.53\noptions timeout:60\n",
                           "name.test")
        self.assertIn("name.test ('203.0.113.5', 80)", out)

    def test_more_questions_than_places(self):
        names = [f"n{i}.test" for i in range(200)]
        out = self.look_up("127.0.0.53", "nameserver 127.0.0.53\n", *names)
        for name in names:
            self.assertIn(f"{name} ('203.0.113.5', 80)", out)

    def test_the_questions_cross_the_stack(self):
        frames = self.path("frames")
        with open(frames, "wb"):
            os.chmod(frames, 0o666)
        self.look_up("127.0.0.53", "nameserver 127.0.0.53\n", "name.test", options=["--pcapng", frames])
        with open(frames, "rb") as stream:
            self.assertEqual(stream.read().count(b"\4name\4test"), 4)  # A and AAAA, there and back

    def test_a_program_that_asks_by_itself(self):
        text = ("import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('127.0.0.53', 53));"
                r"s.send(b'\0\7\1\0\0\1\0\0\0\0\0\0\4name\4test\0\0\1\0\1'); print(s.recv(512)[-4:])")
        program = self.host("127.0.0.53", "nameserver 127.0.0.53\n", "--", sys.executable, "-c", text)
        self.end_well(program)
        self.assertIn(r"b'\xcb\x00q\x05'", program.out)

    @rig.need("curl")
    def test_curl_by_name(self):
        with open(self.path("page"), "w", encoding="ascii") as stream:
            stream.write("a page")
        server = (f"{sys.executable} -m http.server -d {self.folder} --bind 198.51.100.53 8000 & "
                  "until curl -sf --connect-to ::198.51.100.53: http://name.test:8000/page; do :; done; kill $!")
        program = self.host("127.0.0.53", "nameserver 127.0.0.53\n", "--", "sh", "-c", server)
        self.end_well(program)
        self.assertIn("a page", program.out)


class NobodyResolver(Resolver):
    AS = NOBODY


if __name__ == "__main__":
    tap.main()
