"""Captures written by hand, for tests of weir explain: segments of two ends, in any of the formats."""
import ipaddress
import json
import os
import struct
import subprocess

WEIR = os.environ.get("WEIR") or "weir"
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}
A, B = ("10.0.0.1", 40000), ("10.0.0.2", 80)
MSS, SACK_OK, WSCALE = b"\x02\x04\x05\xb4", b"\x04\x02", b"\x03\x03\x07"


def tcp(src, dst, flags, seq, ack=0, length=0, win=65535, options=b""):
    options += b"\x01" * (-len(options) % 4)
    bits = sum(FLAGS[letter] for letter in flags)
    return struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xffffffff, ack & 0xffffffff, (5 + len(options) // 4) << 4,
                       bits, win, 0, 0) + options + b"x" * length


def ip(src, dst, payload, ttl=64):
    a, b = ipaddress.ip_address(src[0]), ipaddress.ip_address(dst[0])
    if a.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), 6, ttl) + a.packed + b.packed + payload
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, ttl, 6, 0) + a.packed + b.packed + payload


class Talk:
    """Segments between two ends; sequence numbers are relative to 1000 (a) and 5000 (b)."""
    def __init__(self, a=A, b=B):
        self.ends, self.isn, self.now, self.packets = (a, b), (1000, 5000), 0.0, []

    def send(self, who, flags, seq, ack=0, length=0, after=0.001, ttl=64, **more):
        self.now += after
        src, dst = self.ends[who], self.ends[not who]
        ack = ack + self.isn[not who] if "A" in flags else 0
        self.packets.append((self.now, ip(src, dst, tcp(src, dst, flags, seq + self.isn[who], ack, length, **more), ttl)))
        return self

    def a(self, *words, **more):
        return self.send(0, *words, **more)

    def b(self, *words, **more):
        return self.send(1, *words, **more)

    def open(self):
        return self.a("S", 0, options=MSS).b("SA", 0, 1, options=MSS, after=0.01).a("A", 1, 1)

    def close(self, a=1, b=1):
        """a first."""
        return self.a("FA", a, b).b("A", b, a + 1, after=0.01).b("FA", b, a + 1).a("A", a + 1, b + 1, after=0.01)


def pcap(packets, order="<", magic=0xa1b2c3d4, link=101, frame=lambda p: p):
    unit = 1e9 if magic == 0xa1b23c4d else 1e6
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for at, packet in packets:
        data = frame(packet)
        out.append(struct.pack(order + "IIII", int(at), round(at % 1 * unit), len(data), len(data)) + data)
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(packets, order="<", link=101, kind=6):
    out = [block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1)),
           block(order, 1, struct.pack(order + "HHI", link, 0, 0) + struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0)),
           block(order, 0x0bad, b"unknown!")]
    for at, data in packets:
        ns = round(at * 1e9)
        if kind == 3:
            out.append(block(order, 3, struct.pack(order + "I", len(data)) + data))
        else:
            out.append(block(order, 6, struct.pack(order + "IIIII", 0, ns >> 32, ns & 0xffffffff, len(data), len(data)) + data))
    return b"".join(out)


def ethernet(packet, tags=b""):
    return bytes(12) + tags + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


def explain(data, *words):
    """(exit status, stdout, stderr) of weir explain - on these bytes."""
    done = subprocess.run([WEIR, "explain", "-", *map(str, words)], input=data, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def judge(talk, *words):
    """The one connection of a talk, as JSON, and the exit status."""
    status, out, err = explain(pcap(talk.packets), "--json", *words)
    if err:
        raise AssertionError(err)
    [found] = json.loads(out)["connections"]
    return found, status
