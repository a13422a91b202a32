#!/usr/bin/env python3
"""Datagrams with control messages: `serve 4|6` prints "port N", then "to ADDRESS ttl N tos N" of one
datagram, and answers from that address with TTL 21 and TOS 40; `ask HOST PORT` sends one with TTL 33 and
TOS 72 and prints "from ADDRESS ttl N tos N" of the answer. `hear` prints "port N" and the IP options of
one datagram, `tell HOST PORT HEX` sends one with these."""
import socket
import struct
import sys

PATIENCE = 20
OPTIONS, RECVOPTS = 4, 6
# level, then of what is asked for and what comes: address, TTL, TOS
NAMES = {4: (socket.IPPROTO_IP, 8, 12, 13, 8, 2, 1), 6: (socket.IPPROTO_IPV6, 49, 51, 66, 50, 52, 67)}


def opened(version):
    made = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE)
    level, *asked = NAMES[version][:4]
    for option in asked:
        made.setsockopt(level, option, 1)
    return made


def number(data):
    return data[0] if len(data) == 1 else struct.unpack("i", data)[0]


def received(made, version):
    """(data, sender, our address, TTL, TOS)"""
    level, _, _, _, info, ttl, tos = NAMES[version]
    data, messages, _, sender = made.recvmsg(100, 500)
    said = {kind: body for where, kind, body in messages if where == level}
    own = said[info][8:12] if version == 4 else said[info][:16]
    return data, sender, own, number(said[ttl]), number(said[tos])


def with_them(version, ttl, tos, own=None):
    level, _, _, _, info, ttl_kind, tos_kind = NAMES[version]
    said = [(level, ttl_kind, struct.pack("i", ttl)), (level, tos_kind, struct.pack("i", tos))]
    if own:
        said.append((level, info, bytes(4) + own + bytes(4) if version == 4 else own + bytes(4)))
    return said


def text(address):
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def serve(version):
    made = opened(version)
    made.bind(("::" if version == 6 else "0.0.0.0", 0))
    print("port", made.getsockname()[1], flush=True)
    data, sender, own, ttl, tos = received(made, version)
    print("to", text(own), "ttl", ttl, "tos", tos, flush=True)
    made.sendmsg([data], with_them(version, 21, 40, own), 0, sender)


def ask(host, port):
    version = 6 if ":" in host else 4
    made = opened(version)
    made.sendmsg([b"word"], with_them(version, 33, 72), 0, (host, port))
    data, sender, _, ttl, tos = received(made, version)
    print("from", sender[0], "ttl", ttl, "tos", tos, flush=True)
    return data == b"word"


def hear():
    made = opened(4)
    made.setsockopt(socket.IPPROTO_IP, RECVOPTS, 1)
    made.bind(("0.0.0.0", 0))
    print("port", made.getsockname()[1], flush=True)
    _, messages, _, _ = made.recvmsg(100, 500)
    print("options", *[body.hex() for _, kind, body in messages if kind == RECVOPTS], flush=True)


def tell(host, port, options):
    made = opened(4)
    made.setsockopt(socket.IPPROTO_IP, OPTIONS, bytes.fromhex(options))
    made.sendto(b"word", (host, port))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    elif sys.argv[1] == "hear":
        hear()
    elif sys.argv[1] == "tell":
        tell(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        sys.exit(not ask(sys.argv[2], int(sys.argv[3])))
