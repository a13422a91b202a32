"""IP beside the kernel's: fragments both ways, large pings both ways."""
import socket
import subprocess
import sys

import lan
import rig
import tap

def counters(text):
    return {line.split()[0]: int(line.split()[1]) for line in text.splitlines()
            if len(line.split()) >= 2 and line.split()[1].isdigit()}


class Fragments(lan.Case):
    def nstat(self, *names):
        answer = subprocess.run([rig.WEIR, "nstat", "-az", *names], stdout=subprocess.PIPE, text=True,
                                check=True)
        return counters(answer.stdout)

    def test_the_kernel_pings_weir_with_large_messages(self):
        if not rig.find("ping"):
            self.skipTest("not installed: iputils-ping")
        self.idle()
        for size in (1473, 20000, 65507):
            answer = subprocess.run([rig.find("ping"), "-c", "3", "-i", "0.01", "-s", str(size), "-W", "5",
                                     lan.WEIR], stdout=subprocess.PIPE, text=True, check=False)
            self.assertIn("3 packets transmitted, 3 received, 0% packet loss", answer.stdout)
        seen = self.nstat("IpReasmOKs", "IpFragOKs", "IpReasmFails")
        self.assertEqual(seen, {"IpReasmOKs": 9, "IpFragOKs": 9, "IpReasmFails": 0})

    def test_weir_pings_the_kernel_with_large_messages(self):
        self.idle()
        for size in (1473, 20000, 65507):
            ping = self.start(rig.WEIR, "ping", "-c", "3", "-i", "0.01", "-s", size, lan.KERNEL)
            self.assertEqual(ping.exit(), 0, ping.out + ping.err)
            self.assertRegex(ping.out, rf"(?m)^{size + 8} bytes from .*: icmp_seq=3 ")

    def test_datagrams_of_a_program_both_ways(self):
        """An echo server on the kernel's sockets, a client on weir's; each text is another one."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("0.0.0.0", 0))
            server.settimeout(20)
            client = self.tap("/usr/bin/python3", "-c", CLIENT, lan.KERNEL, str(server.getsockname()[1]))
            for size in SIZES:
                text, peer = server.recvfrom(70000)
                self.assertEqual(len(text), size)
                server.sendto(text[::-1], peer)
            self.assertEqual(client.exit(), 0, client.err)
            self.assertIn(f"{len(SIZES)} came back", client.out)


SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
sys.stdin.readline()
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 3)
s.sendto(b"to the group", (sys.argv[1], int(sys.argv[2])))
"""
HEAR = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 0))
s.settimeout(20)
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(sys.argv[1]) + bytes(4))
print("port", s.getsockname()[1], flush=True)
text, peer = s.recvfrom(100)
print(text.decode(), peer[0])
"""


class Groups(lan.Case):
    GROUP = "239.255.7.7"

    def test_the_kernel_hears_what_weir_sends(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as member:
            member.bind(("0.0.0.0", 0))
            member.settimeout(rig.PATIENCE)
            sender = self.tap(sys.executable, "-c", SEND, self.GROUP, str(member.getsockname()[1]),
                              stdin=subprocess.PIPE)
            sender.wait_for("^ready$")
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                              socket.inet_aton(self.GROUP) + socket.inet_aton(lan.KERNEL))
            sender.child.stdin.write(b"\n")
            sender.child.stdin.flush()
            text, peer = member.recvfrom(100)
            self.assertEqual((text, peer[0]), (b"to the group", lan.WEIR))
            self.end_well(sender)

    def test_weir_hears_what_the_kernel_sends(self):
        """The kernel's report of the group is not needed: there is no router between."""
        member = self.tap(sys.executable, "-c", HEAR, self.GROUP)
        port = int(member.wait_for(r"^port (\d+)$").group(1))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(lan.KERNEL))
            sender.sendto(b"from the kernel", (self.GROUP, port))
            sender.sendto(b"to nobody", ("239.255.7.8", port))
        self.end_well(member)
        self.assertIn(f"from the kernel {lan.KERNEL}\n", member.out)


SIZES = (1472, 1473, 8000, 20000, 65507)
CLIENT = f"""
import random, socket, sys
peer = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 200000)
n = 0
for size in {SIZES}:
    text = random.Random(size).randbytes(size)
    assert s.sendto(text, peer) == size
    assert s.recvfrom(70000)[0] == text[::-1], size
    n += 1
print(n, "came back")
"""


if __name__ == "__main__":
    lan.enter()
    tap.main()
