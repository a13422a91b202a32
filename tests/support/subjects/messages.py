"""Control messages of datagrams, and the error queue: what is asked for, what comes, what may be sent with."""
import os
import select
import socket
import struct

from subjects import base
from subjects.base import HOST, PATIENCE, error_of, polled, port, result_of, say, subject, udp, until

IP, IP6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6
MSG_ERRQUEUE = 0x2000
PKTINFO, RECVTTL, RECVTOS, RECVDST, RECVERR = 8, 12, 13, 20, 11
TTL, TOS = 2, 1
PKTINFO6, HOPLIMIT, TCLASS, DST6, RECVERR6 = 50, 52, 67, 74, 25
RECVPKTINFO6, RECVHOPLIMIT, RECVTCLASS = 49, 51, 66
OPTIONS = {"PKTINFO": (IP, PKTINFO), "RECVTTL": (IP, RECVTTL), "RECVTOS": (IP, RECVTOS), "RECVORIGDSTADDR": (IP, RECVDST),
           "RECVPKTINFO": (IP6, RECVPKTINFO6), "RECVHOPLIMIT": (IP6, RECVHOPLIMIT), "RECVTCLASS": (IP6, RECVTCLASS),
           "RECVORIGDSTADDR6": (IP6, DST6)}


def six():
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE)
    return made


def pair(family=socket.AF_INET, host=HOST):
    one, other = (six(), six()) if family == socket.AF_INET6 else (udp(), udp())
    other.bind((host, 0))
    return one, other


def words(message, own=None):
    """A control message without what differs from run to run: numbers of interfaces, ports."""
    level, kind, data = message
    if (level, kind) == (IP, PKTINFO):
        data = tuple(socket.inet_ntoa(data[at:at + 4]) for at in (4, 8)) + (len(data),)
    elif (level, kind) == (IP6, PKTINFO6):
        data = socket.inet_ntop(socket.AF_INET6, data[:16]), len(data)
    elif (level, kind) in ((IP, RECVDST), (IP6, DST6)):
        data = len(data), struct.unpack("=H", data[:2]), struct.unpack("!H", data[2:4]) == (own,)
    else:
        data = tuple(data)
    return level, kind, data


def received(made, room=500):
    data, messages, flags, _ = made.recvmsg(100, room)
    return data, [words(m, made.getsockname()[1]) for m in messages], flags & socket.MSG_CTRUNC != 0


@subject
def messages_asked_for():
    for name, (level, number) in OPTIONS.items():
        for kind, made in (("4", udp()), ("6", six())):
            for value in (1, 7, 0, b"\x01", b"", b"\0\1\0\0", b"\1\0\0"):
                say(name, kind, value, result_of(made.setsockopt, level, number, value), result_of(made.getsockopt, level, number))


@subject
def messages_that_come():
    for name in ("PKTINFO", "RECVTTL", "RECVTOS", "RECVORIGDSTADDR"):
        one, other = pair()
        other.setsockopt(*OPTIONS[name], 1)
        one.sendto(b"text", other.getsockname())
        say(name, received(other))
    one, other = pair()
    for name in ("RECVORIGDSTADDR", "RECVTOS", "RECVTTL", "PKTINFO"):
        other.setsockopt(*OPTIONS[name], 1)
    for room in (500, 0, 8, 32, 56, 60):
        one.sendto(b"all", other.getsockname())
        say("room for", room, received(other, room))
    one.sendto(b"plain", other.getsockname())
    say(other.recvfrom(10)[0])


@subject
def messages_that_come_to_six():
    for name in OPTIONS:
        one, other = pair(socket.AF_INET6, "::1")
        other.setsockopt(*OPTIONS[name], 1)
        one.sendto(b"text", other.getsockname())
        say(name, received(other))
    for name in OPTIONS:
        one, other = udp(), pair(socket.AF_INET6, "::")[1]
        other.setsockopt(*OPTIONS[name], 1)
        one.sendto(b"mapped", (HOST, other.getsockname()[1]))
        say(name, received(other))


@subject
def messages_to_send_with():
    one, other = pair()
    other.setsockopt(IP, PKTINFO, 1)
    for what, level, kind, data in (
            ("ttl", IP, TTL, struct.pack("i", 9)), ("ttl 0", IP, TTL, struct.pack("i", 0)),
            ("ttl 256", IP, TTL, struct.pack("i", 256)), ("ttl -1", IP, TTL, struct.pack("i", -1)),
            ("ttl, a byte", IP, TTL, b"\x09"), ("tos", IP, TOS, struct.pack("i", 0x20)),
            ("tos, a byte", IP, TOS, b"\x28"), ("tos 256", IP, TOS, struct.pack("i", 256)),
            ("from 127.0.0.1", IP, PKTINFO, bytes(4) + socket.inet_aton(HOST) + bytes(4)),
            ("from anybody", IP, PKTINFO, bytes(12)),
            ("too short", IP, PKTINFO, bytes(8)), ("unknown", IP, 200, bytes(4)), ("of IPv6", IP6, HOPLIMIT, bytes(4))):
        done = result_of(one.sendmsg, [b"x"], [(level, kind, data)], 0, other.getsockname())
        say(what, done, received(other)[1] if done == "1" else "")


@subject
def messages_to_send_with_over_six():
    one, other = pair(socket.AF_INET6, "::1")
    other.setsockopt(IP6, RECVPKTINFO6, 1)
    for what, kind, data in (
            ("hops", HOPLIMIT, struct.pack("i", 9)), ("hops -1", HOPLIMIT, struct.pack("i", -1)),
            ("hops 256", HOPLIMIT, struct.pack("i", 256)), ("class", TCLASS, struct.pack("i", 0x20)),
            ("class 256", TCLASS, struct.pack("i", 256)),
            ("from ::1", PKTINFO6, bytes(15) + b"\x01" + bytes(4)), ("from anybody", PKTINFO6, bytes(20)),
            ("unknown", 200, bytes(4))):
        done = result_of(one.sendmsg, [b"x"], [(IP6, kind, data)], 0, other.getsockname())
        say(what, done, received(other)[1] if done == "1" else "")


def error_words(made, room=500):
    made.setblocking(False)
    _, messages, flags, name = made.recvmsg(100, room, MSG_ERRQUEUE)  # the host link knows no more of the datagram
    said = []
    for level, kind, body in messages:
        number, origin, kind_of, code, _, info, _ = struct.unpack("=IBBBBII", body[:16])
        family = struct.unpack("=H", body[16:18])[0]
        said.append((level, kind, number, origin, kind_of, code, info, family, len(body)))
    return said, flags & MSG_ERRQUEUE != 0, flags & socket.MSG_CTRUNC != 0, name[0]


@subject
def error_queue():
    one = udp()
    say("empty", result_of(error_words, one))
    one.setsockopt(IP, RECVERR, 1)
    one.connect(port("closed"))
    one.send(b"nobody")
    until(one, select.POLLIN)
    say(error_words(one))
    say("told once", polled(one) == polled(udp_connected()), error_of(one), result_of(error_words, one))
    one.send(b"nobody again")
    until(one, select.POLLIN)
    say(result_of(one.recv, 10), error_words(one))
    say(result_of(error_words, one))


def udp_connected():
    made = udp()
    made.connect(port("closed"))
    return made


@subject
def error_queue_unconnected():
    one = udp()
    one.setsockopt(IP, RECVERR, 1)
    one.sendto(b"nobody", port("closed"))
    until(one, select.POLLIN)
    say(error_words(one, 0))
    one.sendto(b"nobody", port("closed"))
    until(one, select.POLLIN)
    say(error_words(one))


@subject
def error_queue_by_epoll():
    """Who waits for an edge may be told EPOLLIN beside EPOLLERR: a carrier cannot know what lies behind an error."""
    for edge in (0, select.EPOLLET):
        one, other = pair()
        one.bind((HOST, 0))
        one.setsockopt(IP, RECVERR, 1)
        watch, bystanders = select.epoll(), select.epoll()
        watch.register(one, select.EPOLLIN | edge)
        for _ in range(100):  # so many that the kernel's list of them is longer than a page
            watch.register(os.dup(bystanders.fileno()), select.EPOLLPRI)
        one.sendto(b"nobody", port("closed"))
        mask = watch.poll(PATIENCE)[0][1]
        say(base.words(mask & ~edge_only(edge)), error_words(one)[0][0][2:])
        say("told once", watch.poll(0))
        other.sendto(b"somebody", one.getsockname())
        say(base.words(watch.poll(PATIENCE)[0][1]), one.recv(10))


def edge_only(edge):
    return select.EPOLLIN if edge else 0


@subject
def the_path_s_mtu():
    for made, level, name, there in ((udp(), IP, 14, port("closed")), (six(), IP6, 24, ("::1", 9)), (six(), IP, 14, ("::1", 9))):
        say(result_of(made.getsockopt, level, name), result_of(made.setsockopt, IP, 14, 1400))
        made.connect(there)
        say(result_of(made.getsockopt, level, name).isdigit())
