"""weir explain: the verdict of each kind of connection, from captures written by hand."""
import os
import struct
import subprocess
import unittest

import caps
import tap


class Verdicts(unittest.TestCase):
    def says(self, talk, words, severity="failed"):
        found, status = caps.judge(talk)
        self.assertIn(words, found["verdict"])
        self.assertEqual((found["severity"], status), (severity, int(severity == "failed")), found["verdict"])
        return found

    def test_in_good_order(self):
        found = self.says(caps.Talk().open().close(), "Closed in good order, by 10.0.0.1:40000 first, which is in TIME-WAIT", "fine")
        self.assertEqual([s["state"] for s in found["ends"][0]["states"]],
                         ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"])
        self.assertEqual([s["state"] for s in found["ends"][1]["states"]],
                         ["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"])
        self.assertEqual((found["closed_first"], found["reset_by"]), (0, None))

    def test_both_close_at_once(self):
        talk = caps.Talk().open().a("FA", 1, 1).b("FA", 1, 1).a("A", 2, 2).b("A", 2, 2)
        found = self.says(talk, "by both at once; both ends are in TIME-WAIT", "fine")
        self.assertEqual(found["ends"][1]["states"][-2]["state"], "CLOSING")

    def test_nobody_answers(self):
        talk = caps.Talk().a("S", 0).a("S", 0, after=1).a("S", 0, after=2)
        self.says(talk, "Nobody answered: 3 SYNs in 3.0 s")

    def test_a_closed_port(self):
        found = self.says(caps.Talk().a("S", 0).b("RA", -5000, 1), "Refused by 10.0.0.2:80: nobody listens")
        self.assertEqual(found["reset_cause"], "refused")

    def test_half_open_handshake(self):
        talk = caps.Talk().a("S", 0).b("SA", 0, 1).b("SA", 0, 1, after=1)
        self.says(talk, "Half open: 10.0.0.2:80 answered with 2 SYN/ACKs")

    def test_a_port_scan(self):
        self.assertEqual(self.says(caps.Talk().a("S", 0).b("SA", 0, 1).a("R", 1), "port scan")["reset_cause"], "gave_up")

    def test_unread_data(self):
        talk = caps.Talk().open().a("PA", 1, 1, 100).b("A", 1, 101).b("RA", 1, 101)
        self.assertEqual(self.says(talk, "Reset by 10.0.0.2:80")["reset_cause"], "unread")

    def test_abort(self):
        talk = caps.Talk().open().a("PA", 1, 1, 100).b("A", 1, 101).a("RA", 101, 1)
        self.assertEqual(self.says(talk, "SO_LINGER 0, or it died")["reset_cause"], "abort")

    def test_data_after_the_close(self):
        talk = caps.Talk().open().b("FA", 1, 1).a("A", 1, 2).a("PA", 1, 2, 10).b("R", 2)
        self.assertEqual(self.says(talk, "data came after its program had closed")["reset_cause"], "after_close")

    def test_a_host_that_restarted(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("A", 1, 11).a("PA", 11, 1, 10, after=60).b("R", 1)
        self.assertEqual(self.says(talk, "knows of no connection")["reset_cause"], "half_open")

    def test_a_sender_that_gives_up(self):
        talk = caps.Talk().open()
        for wait in (0, 0.3, 0.6, 1.2, 2.4):
            talk.a("PA", 1, 1, 100, after=wait)
        self.assertEqual(self.says(talk.a("RA", 101, 1, after=4.8), "it gave up")["reset_cause"], "timeout")

    def test_a_simultaneous_open(self):
        talk = caps.Talk().a("S", 0).b("S", 0).a("SA", 0, 1).b("SA", 0, 1).a("A", 1, 1).close()
        found = self.says(talk, "Closed in good order", "fine")
        self.assertEqual([s["state"] for s in found["ends"][1]["states"]][:3], ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"])

    def test_a_stray_of_another_life(self):
        talk = caps.Talk().open().a("A", 2000000000, 1, 100).close()
        self.assertEqual(self.says(talk, "Closed in good order", "fine")["ends"][0]["bytes"], 0)

    def test_a_firewall_s_ttl(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("RA", 1, 11, ttl=61)
        self.assertEqual(self.says(talk, "its TTL is not that of this end's other packets")["reset_cause"], "firewall_ttl")

    def test_a_firewall_s_number(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("R", 30000)
        self.assertEqual(self.says(talk, "its sequence number is none")["reset_cause"], "firewall_seq")

    def test_a_reset_behind_the_end(self):
        talk = caps.Talk().open().close().a("R", 2)
        self.assertEqual(self.says(talk, "a RST of 10.0.0.1:40000 came behind it", "fine")["reset_cause"], "old")

    def test_close_wait(self):
        talk = caps.Talk().open().a("FA", 1, 1).b("A", 1, 2).b("PA", 1, 2, 5, after=30).a("A", 2, 6)
        self.says(talk, "10.0.0.2:80 never did: its program holds it in CLOSE-WAIT, and 10.0.0.1:40000 waits in FIN-WAIT-2")

    def test_a_fin_that_nobody_acknowledges(self):
        talk = caps.Talk().open().a("FA", 1, 1).a("FA", 1, 1, after=1).a("FA", 1, 1, after=2)
        self.says(talk, "its FIN was not acknowledged for 3.0 s")

    def test_open_and_fine(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("A", 1, 11)
        self.says(talk, "Open, and nothing is wrong", "fine")

    def test_stuck_by_a_closed_window(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("A", 1, 11, win=0)
        for n in range(4):
            talk.a("A", 10, 1, after=0.2 * 2 ** n).b("A", 1, 11, win=0)
        found = self.says(talk, "the window of 10.0.0.2:80 has been closed for 3.0 s: its program does not read")
        self.assertEqual((found["ends"][0]["probes"], found["ends"][0]["keepalives"], found["ends"][1]["zero_windows"]), (4, 0, 1))

    def test_slow_by_a_closed_window(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("A", 1, 11, win=0).b("A", 1, 11, win=100, after=2).close(11, 1)
        self.says(talk, "10.0.0.2:80 was the brake: its window was closed for 2.0 s of", "slow")

    def test_stuck_by_silence(self):
        talk = caps.Talk().open()
        for wait in (0, 0.3, 0.6, 1.2, 2.4):
            talk.a("PA", 1, 1, 100, after=wait)
        found = self.says(talk, "100 bytes of 10.0.0.1:40000 are not acknowledged, after 4 timeouts")
        self.assertEqual(found["ends"][0]["rto"], 4)

    @staticmethod
    def big_ones_vanish(talk):
        talk.a("PA", 1, 1, 100).b("A", 1, 101, after=0.01)
        for wait in (0.1, 0.3, 0.6, 1.2):
            talk.a("PA", 101, 1, 1400, after=wait)
        return talk

    def test_a_black_hole(self):
        talk = self.big_ones_vanish(caps.Talk().open()).b("PA", 1, 101, 10, after=0.5)
        found = self.says(talk, "A black hole for big segments: 1400 bytes of 10.0.0.1:40000 went 4 times and never arrived, 100 did.")
        self.assertNotIn("is gone: it said nothing", found["verdict"])

    def test_a_black_hole_or_nobody(self):
        self.says(self.big_ones_vanish(caps.Talk().open()), "Or 10.0.0.2:80 is gone: it said nothing since.")

    def test_a_black_hole_that_was_left(self):
        talk = self.big_ones_vanish(caps.Talk().open()).a("A", 101, 1, 1000, after=2.4).b("A", 1, 1101, after=0.01)
        talk.a("PA", 1101, 1, 400).b("A", 1, 1501, after=0.01).close(1501, 1)
        self.says(talk, "in pieces of 1000 they did", "slow")

    def test_no_black_hole_where_the_same_arrives_in_the_end(self):
        talk = self.big_ones_vanish(caps.Talk().open()).b("A", 1, 1501, after=0.01).close(1501, 1)
        self.assertNotIn("black hole", caps.judge(talk)[0]["verdict"])

    def test_fast_retransmission(self):
        talk = caps.Talk().open()
        for n in (0, 2, 3, 4):
            talk.a("A", 1 + 100 * n, 1, 100)
        talk.b("A", 1, 101, after=0.01)
        for _ in range(3):
            talk.b("A", 1, 101)
        talk.a("A", 101, 1, 100, after=0.01).b("A", 1, 501, after=0.01).close(501, 1)
        found, _ = caps.judge(talk)
        end = found["ends"][0]
        self.assertEqual((end["fast"], end["rto"], end["lost_before"], end["gaps"]), (1, 0, 1, 1))
        self.assertEqual(found["ends"][1]["dup_acks"], 3)
        self.assertEqual(end["bytes"], 500)

    def test_out_of_order(self):
        talk = caps.Talk().open().a("A", 101, 1, 100).a("A", 1, 1, 100, after=0.0001).b("A", 1, 201, after=0.01).close(201, 1)
        end = caps.judge(talk)[0]["ends"][0]
        self.assertEqual((end["out_of_order"], end["rto"] + end["fast"] + end["early"]), (1, 0))

    def test_a_needless_retransmission(self):
        talk = caps.Talk().open().a("A", 1, 1, 100).b("A", 1, 101, after=0.01).a("A", 1, 1, 100, after=0.3)
        talk.b("A", 1, 101, options=b"\x05\x0a" + struct.pack("!II", 1001, 1101)).close(101, 1)
        found = caps.judge(talk)[0]
        self.assertEqual((found["ends"][0]["spurious"], found["ends"][1]["dsacks"]), (1, 1))

    def test_a_tail_loss_probe(self):
        talk = caps.Talk().open().a("A", 1, 1, 100).a("A", 1, 1, 100, after=0.03).b("A", 1, 101, after=0.01).close(101, 1)
        self.assertEqual(caps.judge(talk)[0]["ends"][0]["early"], 1)

    def test_keepalives(self):
        talk = caps.Talk().open().a("PA", 1, 1, 10).b("A", 1, 11)
        talk.a("A", 10, 1, after=60).b("A", 1, 11).close(11, 1)
        self.assertEqual(caps.judge(talk)[0]["ends"][0]["keepalives"], 1)

    def test_a_lost_syn(self):
        talk = caps.Talk().a("S", 0).a("S", 0, after=1).b("SA", 0, 1).a("A", 1, 1).close()
        self.says(talk, "The handshake took 1.0 s: a SYN was lost or dropped", "slow")

    def test_options_that_were_not_granted(self):
        talk = caps.Talk().a("S", 0, options=caps.MSS + caps.SACK_OK + caps.WSCALE).b("SA", 0, 1, options=caps.MSS).a("A", 1, 1)
        talk.a("PA", 1, 1, 10).a("RA", 11, 1)
        self.says(talk, "Asked for and not granted: window scaling, SACK.")

    def test_the_ports_again(self):
        talk = caps.Talk().open().close()
        talk.isn = (900000, 700000)
        talk.open().close()
        status, out, _ = caps.explain(caps.pcap(talk.packets))
        self.assertEqual(status, 0)
        self.assertIn("2 connections: 2 fine", out)
        self.assertIn("Its ports were used again 1.0 ms after their last connection, in TIME-WAIT.", out)

    def test_began_before_the_capture(self):
        talk = caps.Talk().b("PA", 1, 1, 100).a("A", 1, 101).close(1, 101)
        status, out, _ = caps.explain(caps.pcap(talk.packets))
        self.assertEqual(status, 0)
        self.assertIn("began before the capture", out)

    def test_a_capture_with_losses_of_its_own(self):
        talk = caps.Talk().open().a("A", 1, 1, 100).b("A", 1, 301).a("A", 301, 1, 10).b("A", 1, 311).close(311, 1)
        self.says(talk, "The capture misses segments", "fine")

    def test_the_opener_by_its_answer(self):
        talk = caps.Talk().b("SA", 0, 1).a("A", 1, 1).close()
        found = caps.judge(talk)[0]
        self.assertEqual((found["ends"][0]["port"], found["ends"][1]["port"]), (40000, 80))

    def test_the_ladder(self):
        talk = caps.Talk().open().a("PA", 1, 1, 100).a("PA", 1, 1, 100, after=0.5).b("A", 1, 101, win=0).close(101, 1)
        status, out, _ = caps.explain(caps.pcap(talk.packets), "--ladder", 1)
        lines = out.splitlines()
        self.assertEqual(status, 0)
        self.assertEqual(lines[0], "#1  10.0.0.1:40000  ->  10.0.0.2:80")
        self.assertRegex(lines[1], r"^ +0\.000000  SYN-SENT +S 0 win 65535 mss 1460 +-->")
        self.assertRegex(lines[5], r"0\.512000  ESTABLISHED +PA 1:101 ack 1 win 65535 +--> ESTABLISHED +again, after a timeout$")
        self.assertRegex(lines[6], r"<-- A 1 ack 101 win 0 +ESTABLISHED +the window closes$")
        status, out, err = caps.explain(caps.pcap(talk.packets), "--ladder", 7)
        self.assertEqual((out, err), ("", "weir: no connection 7: the last one is 1\n"))


class Memory(unittest.TestCase):
    """A file of any length takes no more memory than its open connections."""
    def stream(self, megabytes):
        """Feeds connections that begin each second; the reader's largest size in KiB."""
        talk = caps.Talk().open()
        for n in range(10):
            talk.a("A", 1 + 1400 * n, 1, 1400, after=0.01)
        talk.b("A", 1, 14001, after=0.01).close(14001, 1)
        head, whole = len(caps.pcap([])), bytearray(caps.pcap(talk.packets))
        places, at = [], head
        for _, packet in talk.packets:
            places.append((at, at + 16 + (12 if packet[12:16] == bytes([10, 0, 0, 1]) else 16)))
            at += 16 + len(packet)
        env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
        child = subprocess.Popen([caps.WEIR, "explain", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        child.stdin.write(whole[:head])
        count = megabytes * 1000000 // (len(whole) - head)
        for n in range(count):
            client = struct.pack("!I", 0x0b000000 + n)
            for record, address in places:
                struct.pack_into("<I", whole, record, n)
                whole[address:address + 4] = client
            child.stdin.write(whole[head:])
        child.stdin.close()
        out = child.stdout.read().decode()
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        self.assertEqual(status, 0, out)
        self.assertIn(f"{count} connections: {count} fine", out)
        return usage.ru_maxrss

    def test_bounded(self):
        few, many = self.stream(5), self.stream(1000 if os.environ.get("WEIR_SLOW") else 100)
        self.assertLess(many - few, 4096, f"{few} KiB for 5 MB, {many} KiB for more")


if __name__ == "__main__":
    tap.main()
