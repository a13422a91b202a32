"""Every socket call in every state of a TCP socket: one subject a state, one line a call.

Each line is a socket of its own, brought into the state, and one call on it.
"""
import array
import fcntl
import os
import select
import socket
import tempfile
import termios
import time

from subjects.base import (HOST, LINGER_0, PATIENCE, count_sigpipe, error_of, listener, option, pair, polled,
                           port, result_of, say, subject, tcp, until)

SIOCATMARK, SIOCOUTQ = 0x8905, 0x5411
FIN_WAIT_2, CLOSED = 5, 7  # as Linux numbers them
NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def names(made, what):
    """Which of a socket's address and port are there."""
    address, number = getattr(made, what)()
    return f"{address} {'a port' if number else 'no port'}"


def number_of(made, request):
    answer = array.array("i", [0])
    fcntl.ioctl(made, request, answer)
    return answer[0]


def send_file(made):
    with tempfile.TemporaryFile() as file:
        file.write(b"file")
        file.flush()
        return os.sendfile(made.fileno(), file.fileno(), 0, 4)


def splice(made, is_out):
    ends = os.pipe()
    try:
        if is_out:
            os.write(ends[1], b"pipe")
            return os.splice(ends[0], made.fileno(), 4, flags=os.SPLICE_F_NONBLOCK)
        return os.splice(made.fileno(), ends[1], 4, flags=os.SPLICE_F_NONBLOCK)
    finally:
        for end in ends:
            os.close(end)


# name: what is done with the socket
CALLS = {
    "bind": lambda s: s.bind((HOST, 0)),
    "connect": lambda s: s.connect(port("echo")),
    "listen": lambda s: s.listen(1),
    "accept": lambda s: s.accept(),
    "send": lambda s: s.send(b"x"),
    "send nothing": lambda s: s.send(b""),
    "send MSG_NOSIGNAL": lambda s: s.send(b"x", socket.MSG_NOSIGNAL),
    "send MSG_OOB": lambda s: s.send(b"x", socket.MSG_OOB),
    "write": lambda s: os.write(s.fileno(), b"x"),
    "writev": lambda s: os.writev(s.fileno(), [b"x", b"y"]),
    "sendto": lambda s: s.sendto(b"x", port("echo")),
    "sendmsg": lambda s: s.sendmsg([b"x"]),
    "sendfile": send_file,
    "splice to it": lambda s: splice(s, True),
    "recv": lambda s: s.recv(1),
    "recv nothing": lambda s: s.recv(0),
    "recv MSG_PEEK": lambda s: s.recv(1, socket.MSG_PEEK),
    "recv MSG_DONTWAIT": lambda s: s.recv(1, socket.MSG_DONTWAIT),
    "recv MSG_OOB": lambda s: s.recv(1, socket.MSG_OOB),
    "read": lambda s: os.read(s.fileno(), 1),
    "readv": lambda s: os.readv(s.fileno(), [bytearray(1)]),
    "recvfrom": lambda s: s.recvfrom(1)[0],
    "recvmsg": lambda s: s.recvmsg(1)[0],
    "splice from it": lambda s: splice(s, False),
    "getsockname": lambda s: names(s, "getsockname"),
    "getpeername": lambda s: names(s, "getpeername"),
    "SO_ERROR": error_of,
    "SO_ACCEPTCONN": lambda s: option(s, socket.SO_ACCEPTCONN),
    "TCP_INFO state": lambda s: tcp_state(s),
    "set TCP_NODELAY": lambda s: s.setsockopt(*NODELAY),
    "set SO_REUSEADDR": lambda s: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    "shutdown RD": lambda s: s.shutdown(socket.SHUT_RD),
    "shutdown WR": lambda s: s.shutdown(socket.SHUT_WR),
    "shutdown RDWR": lambda s: s.shutdown(socket.SHUT_RDWR),
    "FIONREAD": lambda s: number_of(s, termios.FIONREAD),
    "SIOCOUTQ": lambda s: number_of(s, SIOCOUTQ),
    "SIOCATMARK": lambda s: number_of(s, SIOCATMARK),
    "poll": polled,
    "poll for PRI": lambda s: polled(s, select.POLLPRI),
    "poll for nothing": lambda s: polled(s, 0),
}


SENDS = [name for name in CALLS if name.startswith(("send", "write")) or name == "splice to it"]
FILE_SENDS = ("sendfile", "splice to it")


def in_state(make, *left_out):
    """Prints each call's result; left_out: where a carrier can not do as the kernel (docs/run.md)."""
    count_sigpipe()
    for name, call in CALLS.items():
        if name in left_out:
            continue
        made, *kept = make()
        made.setblocking(False)
        say(f"{name}:", result_of(call, made))
        del kept


def fresh():
    return (tcp(),)


def bound():
    made = tcp()
    made.bind((HOST, 0))
    return (made,)


def connecting():
    made = tcp()
    made.setblocking(False)
    made.connect_ex(port("full"))
    return (made,)


def refused():
    """With an error that nobody was told."""
    made = tcp()
    made.setblocking(False)
    made.connect_ex(port("closed"))
    until(made, select.POLLOUT)
    return (made,)


def tcp_state(made):
    return made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def reach(made, state):
    end = time.monotonic() + PATIENCE
    while tcp_state(made) != state and time.monotonic() < end:
        time.sleep(0.001)


def shut(how):
    client, server = pair()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    client.shutdown(how)
    if how != socket.SHUT_RD:
        reach(client, FIN_WAIT_2)
    return client, server


def peer_shut():
    client, server = pair()
    server.shutdown(socket.SHUT_WR)
    until(client, select.POLLRDHUP)
    return client, server


def peer_said_and_shut():
    client, server = pair()
    server.sendall(b"last words")
    server.shutdown(socket.SHUT_WR)
    until(client, select.POLLRDHUP)
    return client, server


def both_shut():
    client, server = peer_shut()
    client.shutdown(socket.SHUT_WR)
    reach(client, CLOSED)
    return client, server


def reset():
    """With an error that nobody was told."""
    client, server = pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    server.close()
    until(client, select.POLLHUP)
    return (client,)


def reset_with_data():
    client, server = pair()
    server.sendall(b"lost")
    until(client, select.POLLIN)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    server.close()
    until(client, select.POLLHUP)
    return (client,)


def told(make):
    made, *kept = make()
    error_of(made)
    return (made, *kept)


@subject
def calls_when_fresh():
    in_state(fresh)


@subject
def calls_when_bound():
    in_state(bound)


@subject
def calls_when_listening():
    in_state(lambda: (listener(),))


@subject
def calls_when_connecting():
    in_state(connecting, *SENDS)


@subject
def calls_when_refused():
    in_state(refused, *FILE_SENDS, "SIOCOUTQ")


@subject
def calls_when_refused_and_told():
    in_state(lambda: told(refused), "SIOCOUTQ")


@subject
def calls_when_established():
    in_state(pair)


@subject
def calls_when_accepted():
    in_state(lambda: pair()[::-1])


@subject
def calls_when_shut_for_reading():
    in_state(lambda: shut(socket.SHUT_RD))


@subject
def calls_when_shut_for_writing():
    in_state(lambda: shut(socket.SHUT_WR))


@subject
def calls_when_shut_both_ways():
    in_state(lambda: shut(socket.SHUT_RDWR))


@subject
def calls_when_peer_has_shut():
    in_state(peer_shut)


@subject
def calls_when_peer_said_and_has_shut():
    in_state(peer_said_and_shut)


@subject
def calls_when_both_have_shut():
    in_state(both_shut)


@subject
def calls_when_reset():
    in_state(reset, *FILE_SENDS)


@subject
def calls_when_reset_with_data():
    in_state(reset_with_data, *FILE_SENDS)


@subject
def calls_when_reset_and_told():
    in_state(lambda: told(reset))
