"""Urgent bytes: MSG_OOB, SO_OOBINLINE, the mark, SIGURG."""
import array
import fcntl
import os
import select
import signal
import socket

from subjects.base import attempt, pair, read_all, say, subject, until


def at_mark(made):
    answer = array.array("i", [0])
    fcntl.ioctl(made, 0x8905, answer)  # SIOCATMARK
    return answer[0]


@subject
def urgent_byte_out_of_band():
    client, server = pair()
    client.sendall(b"abc")
    client.send(b"de!", socket.MSG_OOB)
    client.sendall(b"after")
    client.shutdown(socket.SHUT_WR)
    until(server, select.POLLPRI)
    say(server.recv(5, socket.MSG_WAITALL), at_mark(server))
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    attempt("once more", server.recv, 1, socket.MSG_OOB)
    say(read_all(server))


@subject
def urgent_byte_inline():
    client, server = pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    say(server.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE))
    client.sendall(b"abc")
    client.send(b"!", socket.MSG_OOB)
    client.sendall(b"after")
    client.shutdown(socket.SHUT_WR)
    until(server, select.POLLPRI)
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    say(server.recv(3, socket.MSG_WAITALL), at_mark(server))
    say(read_all(server))


@subject
def no_urgent_byte():
    client, server = pair()
    server.setblocking(False)
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    client.sendall(b"x")
    until(server, select.POLLIN)
    attempt("urgent", server.recv, 1, socket.MSG_OOB)
    say(server.recv(1), at_mark(server))


@subject
def sigurg():
    told = []
    client, server = pair()
    signal.signal(signal.SIGURG, lambda *_: told.append("SIGURG"))
    fcntl.fcntl(server, fcntl.F_SETOWN, os.getpid())
    client.send(b"!", socket.MSG_OOB)
    until(server, select.POLLPRI)
    server.setblocking(False)  # with a timeout Python waits for POLLIN, which says nothing of this byte
    say(told, server.recv(1, socket.MSG_OOB))
