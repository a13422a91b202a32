"""What datagrams say beside their data, between weir and the kernel over a TAP device: TTL and TOS, hop
limit and traffic class, the address they were sent to and from, by control messages on both sides."""
import os
import socket
import subprocess
import sys

import lan
import rig
import tap

SCRIPT = os.path.join(rig.SUPPORT, "messages.py")
KERNEL6, WEIR6, OTHER, OTHER6 = "fd00:77::1", "fd00:77::2", "10.77.0.9", "fd00:77::9"


def knob(name, value):
    with open("/proc/sys/net/ipv6/" + name, "w", encoding="ascii") as stream:
        stream.write(value)


class Messages(lan.Case):
    """Who listens prints what came and answers from where it was asked; who asks says TTL and TOS."""

    options = ("--ip", lan.WEIR + "/24", "--ip", WEIR6 + "/64", "--gw", lan.KERNEL)

    @classmethod
    def setUpClass(cls):
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        knob("conf/weir0/accept_dad", "0")
        knob("conf/weir0/disable_ipv6", "0")
        for address in (lan.KERNEL + "/24", KERNEL6 + "/64"):
            lan.ip("addr", "add", address, "dev", "weir0", *(["nodad"] if ":" in address else []))
        lan.ip("link", "set", "weir0", "up")

    @classmethod
    def tearDownClass(cls):
        lan.ip("link", "del", "weir0")

    def on_weir(self, *words):
        return self.tap(*words, options=self.options)

    def heard(self, server, client, target, *more):
        """What the server said of one question, what came back, and from whom."""
        listening = server(sys.executable, SCRIPT, "serve", "6" if ":" in target else "4")
        port = listening.wait_for(r"^port (\d+)$").group(1)
        for step in more:
            step()
        asked = client(sys.executable, SCRIPT, "ask", target, port)
        self.assertEqual(asked.exit(), 0, asked.err)
        self.assertEqual(listening.exit(), 0, listening.err)
        return listening.out.splitlines()[1], asked.out.splitlines()[-1]

    def add(self, address, bits):
        done = subprocess.run([rig.WEIR, "ip", "addr", "add", f"{address}/{bits}", "dev", "weir0"], check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_ip_options(self):
        """A router alert, each way: 1122-4.1.3.2."""
        for listen, speak, target in ((self.kernel, self.on_weir, lan.KERNEL), (self.on_weir, self.kernel, lan.WEIR)):
            server = listen(sys.executable, SCRIPT, "hear")
            port = server.wait_for(r"^port (\d+)$").group(1)
            teller = speak(sys.executable, SCRIPT, "tell", target, port, "94040000")
            self.assertEqual(server.exit(), 0, server.err)
            self.assertEqual(server.out.splitlines()[1], "options 94040000", target)
            self.assertEqual(teller.exit(), 0, teller.err)

    def test_weir_asks(self):
        self.assertEqual(self.heard(self.kernel, self.on_weir, lan.KERNEL),
                         (f"to {lan.KERNEL} ttl 33 tos 72", f"from {lan.KERNEL} ttl 21 tos 40"))
        self.assertEqual(self.heard(self.kernel, self.on_weir, KERNEL6),
                         (f"to {KERNEL6} ttl 33 tos 72", f"from {KERNEL6} ttl 21 tos 40"))

    def test_weir_answers(self):
        self.assertEqual(self.heard(self.on_weir, self.kernel, lan.WEIR),
                         (f"to {lan.WEIR} ttl 33 tos 72", f"from {lan.WEIR} ttl 21 tos 40"))
        self.assertEqual(self.heard(self.on_weir, self.kernel, WEIR6),
                         (f"to {WEIR6} ttl 33 tos 72", f"from {WEIR6} ttl 21 tos 40"))

    def test_weir_answers_from_the_address_that_was_asked(self):
        self.assertEqual(self.heard(self.on_weir, self.kernel, OTHER, lambda: self.add(OTHER, 24)),
                         (f"to {OTHER} ttl 33 tos 72", f"from {OTHER} ttl 21 tos 40"))
        self.assertEqual(self.heard(self.on_weir, self.kernel, OTHER6, lambda: self.add(OTHER6, 64)),
                         (f"to {OTHER6} ttl 33 tos 72", f"from {OTHER6} ttl 21 tos 40"))

    def test_a_source_that_is_not_ours(self):
        """Told by the next call: the carrier took the datagram."""
        text = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(20)\n"
                "said = [(0, 8, bytes(4) + socket.inet_aton('10.77.0.200') + bytes(4))]\n"
                f"s.sendmsg([b'x'], said, 0, ('{lan.KERNEL}', 7))\n"
                "try:\n  s.recv(1)\nexcept OSError as e:\n  print(e.strerror)\n")
        program = self.on_weir(sys.executable, "-c", text)
        self.assertEqual(program.exit(), 0, program.err)
        self.assertEqual(program.out, "Invalid argument\n")

    def test_link_local_peers_have_a_scope(self):
        text = ("import socket\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\ns.bind(('::', 0))\n"
                "print('port', s.getsockname()[1], flush=True)\ns.settimeout(20)\ndata, peer = s.recvfrom(100)\n"
                "print(peer[0].split('%')[0], peer[3])\ns.sendto(data.upper(), peer)\n")
        program = self.on_weir(sys.executable, "-u", "-c", text)
        port = int(program.wait_for(r"^port (\d+)$").group(1))
        lines = lan.ip("-6", "-o", "addr", "show", "dev", "weir0", "scope", "link").split()
        own = lines[lines.index("inet6") + 1].split("/")[0]
        index = socket.if_nametoindex("weir0")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asker:
            asker.settimeout(20)
            asker.bind((own, 0, 0, index))
            asker.sendto(b"word", (self.weir_link_local(), port, 0, index))
            self.assertEqual(asker.recv(100), b"WORD")
        self.assertEqual(program.exit(), 0, program.err)
        self.assertEqual(program.out.splitlines()[1], f"{own} 1")

    def weir_link_local(self):
        done = subprocess.run([rig.WEIR, "ip", "-6", "addr"], check=True, capture_output=True, text=True)
        return next(word.split("/")[0] for word in done.stdout.split() if word.startswith("fe80:"))


if __name__ == "__main__":
    lan.enter()
    tap.main()
