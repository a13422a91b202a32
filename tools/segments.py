#!/usr/bin/env python3
"""Prints the first TCP segments of a pcapng file of bare IP packets in words: segments.py FILE [N]."""
import struct
import sys

FLAGS = [(2, "SYN"), (16, "ACK"), (8, "PSH"), (1, "FIN"), (4, "RST"), (32, "URG")]


def blocks(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8:at + length - 4]
        at += length


def options(data):
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def packets(data):
    """Yields (seconds, bytes, direction, comment)."""
    for kind, body in blocks(data):
        if kind != 6:
            continue
        _, high, low, captured, _ = struct.unpack_from("<IIIII", body)
        extra = {}
        for code, value in options(body[20 + (captured + 3) // 4 * 4:]):
            extra.setdefault(code, value)
        direction = struct.unpack("<I", extra[2])[0] & 3 if 2 in extra else 0
        comment = extra.get(1, b"").decode("utf-8", "replace")
        yield (high << 32 | low) / 1e9, body[20:20 + captured], direction, comment


def window_scale(options):
    """The shift that a SYN announces, 0 without the option."""
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 3:
            return options[at + 2]
        at += 1 if options[at] == 1 else max(options[at + 1], 2)
    return 0


def segment(packet):
    head = (packet[0] & 15) * 4
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from("!HHIIBBH", packet, head)
    names = " ".join(name for bit, name in FLAGS if flags & bit)
    text = head + (offset >> 4) * 4
    return sport, dport, seq, ack, names, window, packet[head + 20:text], len(packet) - text


def main():
    data = open(sys.argv[1], "rb").read()
    left = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    first, shift, start = {}, {}, None
    for when, packet, direction, comment in packets(data):
        if packet[0] >> 4 != 4 or packet[9] != 6 or left == 0:
            continue
        sport, dport, seq, ack, names, window, options, size = segment(packet)
        start = when if start is None else start
        base = first.setdefault(sport, seq)
        peer = first.get(dport, ack)
        arrow = "->" if direction == 2 else "<-"
        text = f"{when - start:9.6f} s  {arrow}  {names:12} seq {(seq - base) & 0xffffffff}"
        if "ACK" in names:
            text += f", ack {(ack - peer) & 0xffffffff}"
        if size:
            text += f", {size} bytes"
        if "SYN" in names:
            shift[sport] = window_scale(options)
        elif shift.get(dport):
            window <<= shift.get(sport, 0)
        print(f"{text}, window {window:,}" + (f"   ({comment})" if comment else ""))
        left -= 1


main()
