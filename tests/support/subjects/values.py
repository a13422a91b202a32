"""Values of socket options: what is read first, what is refused, and what is read back."""
import socket
import struct

from subjects.base import listener, option, pair, result_of, say, subject, tcp

SOL, TCP, IP = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP
BIG = 2**31 - 1
# name: level, number, values to set one after the other
FLAGS = {name: (SOL, getattr(socket, name)) for name in (
    "SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "SO_OOBINLINE", "SO_BROADCAST")}
FLAGS.update({name: (TCP, getattr(socket, name)) for name in ("TCP_NODELAY", "TCP_CORK")})
FLAGS.update({"IP_FREEBIND": (IP, 15), "IP_RECVERR": (IP, 11),
              "IP_BIND_ADDRESS_NO_PORT": (IP, 24)})
NUMBERS = {
    "TCP_KEEPIDLE": (TCP, socket.TCP_KEEPIDLE, (1, 32767, 0, 32768, -1)),
    "TCP_KEEPINTVL": (TCP, socket.TCP_KEEPINTVL, (1, 32767, 0, 32768, -1)),
    "TCP_KEEPCNT": (TCP, socket.TCP_KEEPCNT, (1, 127, 0, 128, -1)),
    "TCP_SYNCNT": (TCP, socket.TCP_SYNCNT, (1, 127, 0, 128, -1)),
    "TCP_USER_TIMEOUT": (TCP, socket.TCP_USER_TIMEOUT, (0, 1, 5000, BIG, -1)),
    "TCP_LINGER2": (TCP, socket.TCP_LINGER2, (1, 30, 60, 0, -1, -7)),
    "TCP_DEFER_ACCEPT": (TCP, socket.TCP_DEFER_ACCEPT, (0, 1, 2, 5, 60, -1)),
    "TCP_MAXSEG": (TCP, socket.TCP_MAXSEG, (88, 536, 1000, 32767, 87, 1, 32768, -1)),
    "TCP_NOTSENT_LOWAT": (TCP, 25, (0, 1, 16384, BIG)),
    "TCP_QUICKACK": (TCP, socket.TCP_QUICKACK, (1,)),
    "IP_TTL": (IP, socket.IP_TTL, (1, 64, 255, 0, 256, -1, -2)),
    "IP_TOS": (IP, socket.IP_TOS, (0, 0x10, 0xfc, 0)),
    "SO_SNDBUF": (SOL, socket.SO_SNDBUF, (0, 1, 2303, 2304, 5000, 65536, -1)),
    "SO_RCVBUF": (SOL, socket.SO_RCVBUF, (0, 1, 1151, 1152, 5000, 65536)),
    "SO_PRIORITY": (SOL, socket.SO_PRIORITY, (0, 3, 6)),
}


@subject
def values_of_flags():
    for name, (level, number) in FLAGS.items():
        made = tcp()
        say(name, "is", result_of(made.getsockopt, level, number))
        for value in (1, 0, 2, -1, BIG):
            say(name, value, result_of(made.setsockopt, level, number, value), result_of(made.getsockopt, level, number))


@subject
def values_of_numbers():
    for name, (level, number, values) in NUMBERS.items():
        for value in values:
            made = tcp()
            say(name, value, result_of(made.setsockopt, level, number, value), result_of(made.getsockopt, level, number)
                if value >= 0 else "")


@subject
def values_that_are_preset():
    made = tcp()
    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT", "TCP_LINGER2", "TCP_DEFER_ACCEPT",
                 "IP_TTL", "IP_TOS"):
        level, number, _ = NUMBERS[name]
        say(name, option(made, number, level))


@subject
def values_that_are_too_short():
    made = tcp()
    for name, level, number in (("SO_KEEPALIVE", SOL, socket.SO_KEEPALIVE), ("TCP_NODELAY", TCP, socket.TCP_NODELAY),
                                ("TCP_KEEPCNT", TCP, socket.TCP_KEEPCNT), ("SO_LINGER", SOL, socket.SO_LINGER),
                                ("SO_SNDBUF", SOL, socket.SO_SNDBUF)):
        for length in (0, 1, 3):
            say(name, length, result_of(made.setsockopt, level, number, bytes(length)))
        say(name, "longer", result_of(made.setsockopt, level, number, struct.pack("iii", 1, 1, 1)))
    for length in (0, 1, 2, 4, 8):
        say("read", length, len(made.getsockopt(SOL, socket.SO_TYPE, length) if length else b""))


@subject
def values_of_linger():
    made = tcp()
    say(struct.unpack("ii", made.getsockopt(SOL, socket.SO_LINGER, 8)))
    for value in ((1, 0), (1, 30), (0, 30), (5, 1), (1, 60000)):
        made.setsockopt(SOL, socket.SO_LINGER, struct.pack("ii", *value))
        say(value, struct.unpack("ii", made.getsockopt(SOL, socket.SO_LINGER, 8)))


@subject
def values_nobody_knows():
    made = tcp()
    for level in (SOL, TCP, IP, socket.IPPROTO_UDP, 77):
        say(level, "set", result_of(made.setsockopt, level, 9999, 1), "get", result_of(made.getsockopt, level, 9999))
    for name in ("SO_TYPE", "SO_ERROR", "SO_ACCEPTCONN", "SO_DOMAIN", "SO_PROTOCOL"):
        say(name, "set", result_of(made.setsockopt, SOL, getattr(socket, name), 1))


@subject
def values_of_congestion():
    made = tcp()
    say("reno", result_of(made.setsockopt, TCP, socket.TCP_CONGESTION, b"reno"),
        made.getsockopt(TCP, socket.TCP_CONGESTION, 16).strip(b"\0"))
    say("unknown", result_of(made.setsockopt, TCP, socket.TCP_CONGESTION, b"no-such-one"),
        made.getsockopt(TCP, socket.TCP_CONGESTION, 16).strip(b"\0"))


@subject
def values_are_inherited():
    """What a listener wishes, its connections have."""
    door = listener()
    wishes = (("SO_KEEPALIVE", SOL, socket.SO_KEEPALIVE, 1), ("TCP_NODELAY", TCP, socket.TCP_NODELAY, 1),
              ("TCP_KEEPIDLE", TCP, socket.TCP_KEEPIDLE, 55), ("TCP_KEEPCNT", TCP, socket.TCP_KEEPCNT, 4),
              ("TCP_USER_TIMEOUT", TCP, socket.TCP_USER_TIMEOUT, 7000), ("IP_TTL", IP, socket.IP_TTL, 44),
              ("SO_SNDBUF", SOL, socket.SO_SNDBUF, 20000), ("SO_RCVBUF", SOL, socket.SO_RCVBUF, 30000),
              ("SO_REUSEADDR", SOL, socket.SO_REUSEADDR, 1))
    for _, level, number, value in wishes:
        door.setsockopt(level, number, value)
    client = tcp()
    client.connect(door.getsockname())
    server, _ = door.accept()
    for name, level, number, _ in wishes:
        say(name, option(server, number, level))


@subject
def values_stay_over_connect():
    door = listener()
    made = tcp()
    made.setsockopt(TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(SOL, socket.SO_KEEPALIVE, 1)
    made.setsockopt(SOL, socket.SO_RCVBUF, 30000)
    made.connect(door.getsockname())
    say(option(made, socket.TCP_NODELAY, TCP), option(made, socket.SO_KEEPALIVE), option(made, socket.SO_RCVBUF))
    client, server = pair()
    copy = client.dup()
    copy.setsockopt(TCP, socket.TCP_NODELAY, 1)
    say("of a dup", option(client, socket.TCP_NODELAY, TCP), "not of the peer", option(server, socket.TCP_NODELAY, TCP))
