"""Datagrams in more detail: names, connections, lengths, flags, and what errors are told when."""
import array
import ctypes
import fcntl
import os
import select
import socket
import struct
import termios

from subjects.base import (HOST, attempt, error_of, option, polled, port, result_of, say, subject, udp, until)


def bound():
    made = udp()
    made.bind((HOST, 0))
    return made


def two():
    one, other = bound(), bound()
    one.connect(other.getsockname())
    other.connect(one.getsockname())
    return one, other


def names(made):
    address, number = made.getsockname()
    return f"{address} {'a port' if number else 'no port'}"


@subject
def udp_names():
    made = udp()
    say("fresh", names(made), result_of(made.getpeername))
    made.connect(port("datagrams"))
    say("connected", names(made), made.getpeername() == port("datagrams"))
    made.connect(port("closed"))
    say("elsewhere", names(made), made.getpeername() == port("closed"))
    other = udp()
    other.sendto(b"x", port("datagrams"))
    say("answered", other.recv(10), names(other), result_of(other.getpeername))
    third = bound()
    own = third.getsockname()
    third.connect(port("datagrams"))
    say("bound first", third.getsockname() == own)


@subject
def udp_lengths():
    one, other = two()
    for length in (0, 1, 1000, 1472, 1473, 9000, 65507, 65508, 70000):
        made = result_of(one.send, bytes(length))
        say(length, made, len(other.recv(70000)) if made.isdigit() else "")


@subject
def udp_truncates():
    one, other = two()
    one.send(b"abcdef")
    data, _, flags, name = other.recvmsg(3)
    say(data, flags & socket.MSG_TRUNC != 0, name == one.getsockname())
    one.send(b"abcdef")
    say(len(other.recv(3, socket.MSG_PEEK)), other.recv(100, socket.MSG_PEEK), other.recv(100))
    one.send(b"abcdef")
    buffer = bytearray(3)
    say("the true length", other.recv_into(buffer, 3, socket.MSG_TRUNC), bytes(buffer))


@subject
def udp_zero_length():
    one, other = two()
    say(one.send(b""), until(other, select.POLLIN), other.recv(10))
    say(one.sendmsg([]), other.recvmsg(10)[0], polled(other))
    os.write(one.fileno(), b"")
    one.send(b"after")
    say(other.recv(10))


@subject
def udp_waits():
    one, _ = two()
    one.setblocking(True)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50000))
    attempt("recv", one.recv, 1)
    attempt("recvfrom", one.recvfrom, 1)
    attempt("recvmsg", one.recvmsg, 1)
    attempt("read", os.read, one.fileno(), 1)
    attempt("MSG_DONTWAIT", one.recv, 1, socket.MSG_DONTWAIT)


@subject
def udp_polls():
    made = udp()
    say("fresh", polled(made), "bound", polled(bound()))
    one, other = two()
    say("connected", polled(one))
    one.send(b"x")
    say("heard", until(other, select.POLLIN), polled(other))
    other.recv(1)
    say("read", polled(other))


@subject
def udp_filters_when_connected():
    one, other = two()
    stranger = udp()
    stranger.sendto(b"stranger", one.getsockname())
    other.send(b"friend")
    say(one.recv(20), polled(one))


@subject
def udp_disconnect():
    libc = ctypes.CDLL(None)
    chosen, other, one = bound(), bound(), udp()
    own = chosen.getsockname()
    chosen.close()
    one.bind(own)  # who lets the kernel choose the port loses it with the peer
    one.connect(other.getsockname())
    other.connect(own)
    say(libc.connect(one.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16), one.getsockname() == own,
        result_of(one.getpeername), result_of(one.send, b"x"))
    stranger = udp()
    stranger.sendto(b"anybody", one.getsockname())
    say(one.recv(20), one.sendto(b"back", other.getsockname()), other.recv(10))
    made = udp()
    made.connect(port("datagrams"))
    libc.connect(made.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16)
    say(names(made))
    made.connect(port("datagrams"))
    made.send(b"again")
    say(made.recv(10))


@subject
def udp_refusal_is_told_once():
    made = udp()
    made.connect(port("closed"))
    made.send(b"x")
    say(until(made, select.POLLIN | select.POLLERR) != "nothing")
    say("recv", result_of(made.recv, 10))
    made.setblocking(False)
    say("then", result_of(made.recv, 10), error_of(made))


@subject
def udp_refusal_of_the_unconnected_is_silent():
    made = udp()
    made.sendto(b"x", port("closed"))
    say(polled(made, wait=100), error_of(made))
    made.sendto(b"x", port("datagrams"))
    say(made.recv(10))


@subject
def udp_destinations():
    made = udp()
    attempt("port 0", made.sendto, b"x", (HOST, 0))
    attempt("nowhere", made.send, b"x")
    attempt("broadcast", made.connect, ("255.255.255.255", 9))
    say(option(made, socket.SO_BROADCAST))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    say(option(made, socket.SO_BROADCAST))
    made.connect(port("datagrams"))
    say("another than its peer", made.sendto(b"x", port("closed")), made.send(b"y"), made.recv(10))
    attempt("connect to 0.0.0.0", made.connect, ("0.0.0.0", 9))
    say(made.getpeername()[0])


@subject
def udp_many_messages():
    one, other = two()
    for number in range(20):
        one.send(bytes([number]) * (number + 1))
    say([len(other.recv(100)) for _ in range(20)])


@subject
def udp_queue_and_length():
    one, other = two()
    answer = array.array("i", [0])
    fcntl.ioctl(other, termios.FIONREAD, answer)
    say("FIONREAD of none", answer[0])
    one.send(b"abc")
    one.send(b"defgh")
    until(other, select.POLLIN)
    say(other.recv(100), other.recv(100))


@subject
def udp_shutdown():
    one, other = two()
    say(result_of(one.shutdown, socket.SHUT_WR), result_of(lambda: one.send(b"x", socket.MSG_NOSIGNAL)))
    other.send(b"still heard")
    say(one.recv(20))


@subject
def udp_over_fork_and_dup():
    one, other = two()
    if os.fork() == 0:
        one.send(b"from the child")
        os._exit(0)
    os.wait()
    say(other.recv(20))
    copy = one.dup()
    one.close()
    copy.send(b"from the dup")
    say(other.recv(20), copy.getpeername() == other.getsockname())


@subject
def udp_options():
    made = udp()
    for name, level, number, values in (("IP_TTL", socket.IPPROTO_IP, socket.IP_TTL, (1, 255, 0, 256, -1)),
                                        ("IP_TOS", socket.IPPROTO_IP, socket.IP_TOS, (0x10, 0xff)),
                                        ("SO_RCVBUF", socket.SOL_SOCKET, socket.SO_RCVBUF, (0, 4096, 65536)),
                                        ("SO_SNDBUF", socket.SOL_SOCKET, socket.SO_SNDBUF, (0, 4096, 65536))):
        for value in values:
            say(name, value, result_of(made.setsockopt, level, number, value), result_of(made.getsockopt, level, number))
    say("type", option(made, socket.SO_TYPE), option(made, socket.SO_PROTOCOL), option(made, socket.SO_ACCEPTCONN))
