"""Socket options: what is read first, and after it was set."""
import socket
import struct

from subjects.base import attempt, pair, say, subject, tcp

OPTIONS = [
    ("SO_TYPE", socket.SOL_SOCKET, socket.SO_TYPE, None),
    ("SO_DOMAIN", socket.SOL_SOCKET, socket.SO_DOMAIN, None),
    ("SO_PROTOCOL", socket.SOL_SOCKET, socket.SO_PROTOCOL, None),
    ("SO_ACCEPTCONN", socket.SOL_SOCKET, socket.SO_ACCEPTCONN, None),
    ("SO_ERROR", socket.SOL_SOCKET, socket.SO_ERROR, None),
    ("SO_REUSEADDR", socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    ("SO_REUSEPORT", socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
    ("SO_KEEPALIVE", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ("TCP_NODELAY", socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ("TCP_CORK", socket.IPPROTO_TCP, socket.TCP_CORK, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 7),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000),
    ("TCP_SYNCNT", socket.IPPROTO_TCP, socket.TCP_SYNCNT, 4),
    ("IP_TTL", socket.IPPROTO_IP, socket.IP_TTL, 33),
    ("IP_TOS", socket.IPPROTO_IP, socket.IP_TOS, 0x10),
    ("SO 9999", socket.SOL_SOCKET, 9999, 1),
]


@subject
def options():
    made = tcp()
    for name, level, number, value in OPTIONS:
        attempt(f"{name} is", made.getsockopt, level, number)
        if value is not None:
            attempt(f"{name} set", made.setsockopt, level, number, value)
            attempt(f"{name} is", made.getsockopt, level, number)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 9))
    say("SO_LINGER", struct.unpack("ii", made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    say("SO_RCVBUF", made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    say("SO_SNDBUF", made.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
    client, _ = pair()
    say("TCP_INFO state", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[0])
    say("TCP_CONGESTION", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).strip(b"\0") != b"")
