"""Packets made by hand, field by field, and capture files of them."""
import socket
import struct

ROUTER_ALERT = b"\x94\x04\0\0"
BROADCAST = b"\xff" * 6
MAC_A, MAC_B = bytes.fromhex("020000000101"), bytes.fromhex("020000000102")
A, B = "10.0.0.1", "10.0.0.2"
A6, B6 = "fd00::1", "fd00::2"


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_sum(data, at, head=b""):
    return data[:at] + struct.pack(">H", checksum(head + data)) + data[at + 2:]


def with_transport_sum(data, at, proto, src, dst):
    return with_sum(data, at, address(src) + address(dst) + struct.pack(">II", len(data), proto))


def ip4(payload, proto, src=A, dst=B, offset=0, ttl=64, tos=0, options=b""):
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, tos,
                       20 + len(options) + len(payload), 7, offset, ttl, proto, 0, address(src),
                       address(dst))
    return with_sum(head + options, 10) + payload


def ip6(payload, proto, src=A6, dst=B6, hops=64, traffic_class=0, label=0):
    return struct.pack(">IHBB", 6 << 28 | traffic_class << 20 | label, len(payload), proto, hops) + \
        address(src) + address(dst) + payload


def udp(text, sport=4000, dport=5000, src=A, dst=B, length=None, has_sum=True):
    data = struct.pack(">HHHH", sport, dport, length or 8 + len(text), 0) + text
    return with_transport_sum(data, 6, 17, src, dst) if has_sum else data


def tcp(text=b"", sport=4000, dport=5000, seq=1000, ack=0, flags=2, options=b"", urgent=0, src=A,
        dst=B):
    data = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (5 + len(options) // 4) << 4, flags,
                       5000, 0, urgent) + options + text
    return with_transport_sum(data, 16, 6, src, dst)


def icmp(kind, code, rest=b"\0" * 4, data=b""):
    return with_sum(struct.pack(">BBH", kind, code, 0) + rest + data, 2)


def icmp6(kind, code=0, rest=b"\0" * 4, data=b"", src=A6, dst=B6):
    return with_transport_sum(struct.pack(">BBH", kind, code, 0) + rest + data, 2, 58, src, dst)


def igmp(data):
    return with_sum(data, 2)


def ether(payload, kind=0x800, dst=MAC_B, src=MAC_A):
    return (dst + src + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def arp(operation, spa=A, tha=b"\0" * 6, tpa=B):
    return struct.pack(">HHBBH", 1, 0x800, 6, 4, operation) + MAC_A + address(spa) + tha + address(tpa)


def question(name, kind=1, flags=0x100, counts=(1, 0, 0, 0), more=b""):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"
    return struct.pack(">HH4H", 0x1234, flags, *counts) + labels + struct.pack(">HH", kind, 1) + more


def record(kind, data, ttl=300):
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def bootp(operation, kind):
    return struct.pack(">BBBBIHH16s6s10s192s", operation, 1, 6, 0, 0xABCD1234, 0, 0x8000, b"", MAC_A,
                       b"", b"") + bytes.fromhex("63825363") + bytes([53, 1, kind, 255])


def pcap(path, packets, link=1, snap=262144):
    """Seconds apart, so that every time stamp differs. A packet is its bytes, or those that were captured and
    its length."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for i, packet in enumerate(packets):
            kept, length = packet if isinstance(packet, tuple) else (packet[:snap], len(packet))
            f.write(struct.pack("<IIII", 1700000000 + i, i * 137 % 1000000, len(kept), length) + kept)
