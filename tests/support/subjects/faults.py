"""Errors of arguments and of the network: what is wrong with the call, the address, the way there."""
import ctypes
import errno
import os
import select
import socket
import struct
import time

from subjects.base import (HOST, called, error_of, listener, pair, polled, port, result_of, say, subject, tcp,
                           udp, until)

LIBC = ctypes.CDLL(None, use_errno=True)
OWN_NETWORK = os.environ.get("NETS") == "own"  # with stage.py's routes
BAD = ctypes.c_void_p(8)  # no memory there


def call(function, *arguments):
    """A call of libc that Python would not make."""
    ctypes.set_errno(0)
    result = getattr(LIBC, function)(*arguments)
    return errno.errorcode[ctypes.get_errno()] if result < 0 else result


def sockaddr(family, number, address=HOST):
    return struct.pack("=H", family) + struct.pack("!H4s8x", number, socket.inet_aton(address))


def open_file():
    return os.open("/dev/null", os.O_RDWR)


@subject
def addresses_that_are_none():
    echo = port("echo")[1]
    for name, address, length in (("short", sockaddr(socket.AF_INET, echo), 8),
                                  ("no length", sockaddr(socket.AF_INET, echo), 0),
                                  ("AF_UNIX", sockaddr(socket.AF_UNIX, echo), 16),
                                  ("AF_INET6", sockaddr(socket.AF_INET6, echo), 16),
                                  ("AF_INET6, long", sockaddr(socket.AF_INET6, echo) + bytes(12), 28),
                                  ("family 99", sockaddr(99, echo), 16)):
        say(name, "bind", call("bind", tcp().fileno(), address, length))
        made = tcp()
        say(name, "connect", call("connect", made.fileno(), address, length))
        made = udp()
        say(name, "udp connect", call("connect", made.fileno(), address, length))
        say(name, "sendto", call("sendto", udp().fileno(), b"x", 1, 0, address, length))
    say("AF_UNSPEC", "bind any", call("bind", tcp().fileno(), sockaddr(0, 0, "0.0.0.0"), 16))
    say("AF_UNSPEC", "bind", call("bind", tcp().fileno(), sockaddr(0, 0), 16))


@subject
def pointers_that_are_none():
    number = ctypes.byref(ctypes.c_int(16))
    kept = [tcp(), tcp(), udp(), tcp()]
    fresh, other, datagrams, third = (one.fileno() for one in kept)
    for name, pointer in (("NULL", None), ("bad", BAD)):
        say(name, "bind", call("bind", fresh, pointer, 16))
        say(name, "connect", call("connect", other, pointer, 16))
        say(name, "getsockname", call("getsockname", fresh, pointer, number))
        say(name, "getsockname, length", call("getsockname", fresh, bytes(16), pointer))
        say(name, "setsockopt", call("setsockopt", third, socket.SOL_SOCKET, socket.SO_KEEPALIVE, pointer, 4))
        say(name, "getsockopt", call("getsockopt", third, socket.SOL_SOCKET, socket.SO_KEEPALIVE, pointer, number))
        say(name, "getsockopt, length", call("getsockopt", third, socket.SOL_SOCKET, socket.SO_KEEPALIVE,
                                             bytes(4), pointer))
        say(name, "sendto", call("sendto", datagrams, b"x", 1, 0, pointer, 16))
    client, server = pair()
    client.setblocking(False)
    server.sendall(b"x")
    until(client, select.POLLIN)
    say("recv", call("recv", client.fileno(), BAD, 1, 0), "send", call("send", client.fileno(), BAD, 1, 0))
    say("still there", client.recv(1))
    say("getpeername", call("getpeername", client.fileno(), BAD, number))


@subject
def descriptors_that_are_none():
    closed = os.open("/dev/null", os.O_RDONLY)
    os.close(closed)
    room = ctypes.byref(ctypes.c_int(16))
    calls = (("bind", bytes(16), 16), ("connect", bytes(16), 16), ("listen", 1), ("accept", None, None),
             ("getsockname", bytes(16), room), ("getpeername", bytes(16), room), ("shutdown", 1),
             ("send", b"x", 1, 0), ("recv", bytes(1), 1, 0), ("sendto", b"x", 1, 0, None, 0),
             ("setsockopt", 1, 2, bytes(4), 4), ("getsockopt", 1, 2, bytes(4), room))
    for name, *more in calls:
        say(name, "closed", call(name, closed, *more), "-1", call(name, -1, *more),
            "a file", call(name, open_file(), *more))


@subject
def sockets_that_are_none():
    for family in (socket.AF_INET, socket.AF_INET6, 99):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, 77):
            for protocol in (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP, 250):
                result = call("socket", family, kind, protocol)
                say(family, kind, protocol, result if isinstance(result, str) else "ok")
    say("flags", call("socket", socket.AF_INET, socket.SOCK_STREAM | 0x100, 0))
    say("accept4 flags", call("accept4", listener().fileno(), None, None, 0x100))


@subject
def calls_for_the_other_kind():
    made = udp()
    made.bind((HOST, 0))
    made.setblocking(True)  # else Python waits before it calls
    say("listen", result_of(made.listen, 1), "accept", result_of(made.accept))
    say("MSG_OOB", result_of(lambda: made.sendto(b"x", socket.MSG_OOB, made.getsockname())))
    say("TCP_NODELAY", result_of(made.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
    say("get TCP_NODELAY", result_of(made.getsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY))
    for how in range(4):
        say("shutdown", how, result_of(made.shutdown, how))
    stream = tcp()
    for how in (3, -1, 99):
        say("shutdown", how, result_of(stream.shutdown, how))
    client, _ = pair()
    say("connected", [result_of(client.shutdown, how) for how in (3, -1)])


@subject
def networks_that_cannot_be_reached():
    if not OWN_NETWORK:
        return  # what there is depends on the host
    for name, address in (("no route", "203.0.113.1"), ("unreachable", "198.51.100.1"),
                          ("prohibited", "198.51.100.200"), ("multicast", "224.1.2.3"),
                          ("broadcast", "255.255.255.255")):
        say(name, "tcp", result_of(tcp().connect, (address, 9)), "udp connect", result_of(udp().connect, (address, 9)))
        made = tcp()
        made.setblocking(False)
        result = result_of(made.connect, (address, 9))
        if result == "EINPROGRESS":
            until(made, select.POLLOUT)
            result = error_of(made)
        say(name, "without waiting", result)


@subject
def ports_that_cannot_be_reached():
    for name, address in (("nobody", port("closed")), ("0", (HOST, 0)), ("another address", ("127.8.8.8", 1))):
        say(name, result_of(tcp().connect, address))


@subject
def times_out_after_syncnt():
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    began = time.monotonic()
    say(result_of(made.connect, port("full")), "in 2 to 6 s", 2 < time.monotonic() - began < 6)
    say("SO_ERROR", error_of(made), "again", polled(made))


@subject
def times_out_after_user_timeout():
    made = tcp()
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    made.connect_ex(port("full"))
    until(made, select.POLLOUT)
    say("SO_ERROR", error_of(made), error_of(made))


@subject
def connect_in_every_way():
    """Without waiting: what the second and third connect say, with and without SO_ERROR between."""
    for name in ("echo", "closed"):
        for asks in (False, True):
            made = tcp()
            made.setblocking(False)
            first = result_of(made.connect, port(name))
            until(made, select.POLLOUT)
            between = error_of(made) if asks else "not asked"
            say(name, first, between, [result_of(made.connect, port(name)) for _ in range(2)])
            until(made, select.POLLOUT | select.POLLHUP)
    made = tcp()
    made.setblocking(False)
    made.connect_ex(port("full"))
    say("full", [result_of(made.connect, port("full")) for _ in range(2)], polled(made))
    say("shutdown ends it", result_of(made.shutdown, socket.SHUT_RD), polled(made),
        result_of(made.connect, port("echo")))
    until(made, select.POLLOUT)
    say("connected", error_of(made), made.send(b"x"))


@subject
def connect_again_after_refusal():
    """A descriptor is good for another try, with its options."""
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 3, 0))
    for _ in range(3):
        say(result_of(made.connect, port("closed")), polled(made))
    say(result_of(made.connect, port("echo")))
    say(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
        struct.unpack("ll", made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16)))
    made.sendall(b"x")
    say(made.recv(1))


@subject
def connect_blocking_after_not():
    """A connect that waits joins one that did not."""
    made = tcp()
    made.setblocking(False)
    say(result_of(made.connect, port("echo")))
    made.setblocking(True)
    say(result_of(made.connect, port("echo")), result_of(made.connect, port("echo")))
    made.sendall(b"x")
    say(made.recv(1))


@subject
def disconnect_by_af_unspec():
    nowhere = sockaddr(socket.AF_UNSPEC, 0)
    door = listener()
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect(door.getsockname())
    server, _ = door.accept()
    say("connected", call("connect", client.fileno(), nowhere, 16), polled(client))
    until(server, select.POLLHUP)
    say("peer", result_of(server.recv, 1))
    say("getpeername", result_of(client.getpeername), "recv", result_of(client.recv, 1))
    say("option kept", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    say("again", result_of(client.connect, port("echo")), client.send(b"x"), client.recv(1))
    say("fresh", call("connect", tcp().fileno(), nowhere, 16))
    say("listening", call("connect", door.fileno(), nowhere, 16), polled(door))
    trying = tcp()
    trying.setblocking(False)
    trying.connect_ex(port("full"))
    say("connecting", call("connect", trying.fileno(), nowhere, 16), polled(trying))
    gone = called("echo")
    gone.shutdown(socket.SHUT_RDWR)
    say("shut", call("connect", gone.fileno(), nowhere, 16), polled(gone))
    say("and again", result_of(gone.connect, port("echo")), gone.send(b"y"), gone.recv(1))
