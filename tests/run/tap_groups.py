"""Groups as the kernel sees them: a bridge asks for members (MLD 2 and 1, IGMP 3) and keeps their table, `weir run` joins."""
import json
import subprocess
import time
import unittest

import lan
import rig
import tap

# Joins as it is told, a line each: "join" or "leave", family, group, and perhaps a source.
JOIN = """
import socket, struct, sys
IP, IP6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6
JOIN, LEAVE, JOIN_SOURCE = 42, 45, 46
def storage(family, text):
    packed = socket.inet_pton(family, text)
    bare = struct.pack("=HHI16s", family, 0, 0, packed) if family == socket.AF_INET6 else struct.pack("=HH4s", family, 0, packed)
    return bare.ljust(128, b"\\0")
held = {}
for line in sys.stdin:
    verb, group, *source = line.split()
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    s = held.setdefault(group, socket.socket(family, socket.SOCK_DGRAM))
    value = struct.pack("=Q", 1) + storage(family, group) + b"".join(storage(family, text) for text in source)
    s.setsockopt(IP6 if family == socket.AF_INET6 else IP, JOIN_SOURCE if source else JOIN if verb == "join" else LEAVE, value)
    print("done", line.strip(), flush=True)
"""

# Quick, so that what is not answered is forgotten while the test looks. Hundredths of seconds.
QUICK = ("mcast_query_interval", "100", "mcast_startup_query_interval", "50", "mcast_query_response_interval", "50",
         "mcast_membership_interval", "250", "mcast_querier_interval", "250", "mcast_last_member_interval", "20")


@unittest.skipUnless(rig.find("bridge"), "not installed: iproute2")
class Groups(lan.Case):
    def bridge(self, mld):
        try:
            lan.ip("link", "add", "wbr0", "type", "bridge", "mcast_snooping", "1", "mcast_querier", "1",
                   "mcast_mld_version", mld, "mcast_igmp_version", "3", *QUICK)
        except subprocess.CalledProcessError as error:
            self.skipTest("no bridge: " + error.stderr.strip())
        self.addCleanup(lan.ip, "link", "del", "wbr0")
        with open("/proc/sys/net/ipv6/conf/wbr0/disable_ipv6", "w", encoding="ascii") as knob:
            knob.write("0")
        lan.ip("tuntap", "add", "weir0", "mode", "tap")
        self.addCleanup(lan.ip, "link", "del", "weir0")
        lan.ip("link", "set", "weir0", "master", "wbr0", "up")
        lan.ip("addr", "add", "fd00:77::1/64", "dev", "wbr0", "nodad")
        lan.ip("link", "set", "wbr0", "up")
        program = self.python(JOIN, options=("--link", "tap:weir0", "--ip", "10.77.0.2/24", "--ip", "fd00:77::2/64"),
                              stdin=subprocess.PIPE)
        return program

    def table(self):
        """What the bridge believes of weir0: groups, and groups from senders."""
        text = subprocess.run([rig.find("bridge"), "-d", "-j", "mdb", "show"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        entries = json.loads(text)[0]["mdb"]
        return {entry["grp"] + ("" if "src" not in entry else " from " + entry["src"])
                for entry in entries if entry["port"] == "weir0"}

    def wait_for(self, wanted, gone=frozenset(), seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            table = self.table()
            if wanted <= table and not gone & table:
                return
            time.sleep(0.02)
        self.fail(f"{sorted(self.table())} is not {sorted(wanted)}")

    def timers(self, groups):
        """How long the bridge would still believe each of them without an answer, in seconds."""
        text = subprocess.run([rig.find("bridge"), "-s", "-d", "-j", "mdb", "show"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        return {entry["grp"]: float(entry["timer"]) for entry in json.loads(text)[0]["mdb"]
                if entry["port"] == "weir0" and entry["grp"] in groups}

    def answers(self, groups, queries=2):
        """Waits until each was told of again so often: a report sets its timer back. None may be forgotten meanwhile."""
        before, told = self.timers(groups), dict.fromkeys(groups, 0)
        end = time.monotonic() + 20
        while min(told.values()) < queries and time.monotonic() < end:
            now = self.timers(groups)
            self.assertEqual(set(now), set(groups))
            for group in groups:
                told[group] += now[group] > before[group]
            before = now
        self.assertGreaterEqual(min(told.values()), queries, told)

    def say(self, program, line):
        program.child.stdin.write((line + "\n").encode())
        program.child.stdin.flush()
        program.wait_for("^done " + line)

    def check(self, mld):
        groups = {"ff05::7", "239.255.0.7"}
        program = self.bridge(mld)
        for group in sorted(groups):
            self.say(program, "join " + group)
        self.wait_for(groups | {"ff02::1:ff00:2"})
        return program, groups

    def test_members_are_known_and_stay_known(self):
        program, groups = self.check("2")
        self.say(program, "join ff05::8 fd00:77::9")
        self.say(program, "join 239.255.0.8 10.77.0.9")
        groups |= {"ff05::8 from fd00:77::9", "239.255.0.8 from 10.77.0.9", "ff02::1:ff00:2"}
        self.wait_for(groups)
        self.answers({"ff05::7", "239.255.0.7", "ff02::1:ff00:2"})
        self.assertLessEqual(groups, self.table())
        for group in ("ff05::7", "239.255.0.7"):
            self.say(program, "leave " + group)
        self.wait_for({"ff02::1:ff00:2"}, gone={"ff05::7", "239.255.0.7"})

    def test_a_bridge_of_the_first_version(self):
        program, groups = self.check("1")
        self.answers(groups)
        self.say(program, "leave ff05::7")
        self.wait_for({"ff02::1:ff00:2"}, gone={"ff05::7"})


if __name__ == "__main__":
    lan.enter()
    tap.main()
