"""How connections end: half-closes in each order, shutdown and close over dup and fork, resets."""
import os
import select
import signal
import socket
import struct
import time

from subjects.base import (LINGER_0, attempt, count_sigpipe, error_of, listener, pair, polled,
                           read_all, result_of, say, subject, tcp, until)

HOWS = {"RD": socket.SHUT_RD, "WR": socket.SHUT_WR, "RDWR": socket.SHUT_RDWR}


def linger(made, seconds):
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))


def wait_child():
    return os.waitstatus_to_exitcode(os.wait()[1])


@subject
def half_close_client_first():
    client, server = pair()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    until(server, select.POLLRDHUP)
    say("server", polled(server), "client", polled(client))
    say(read_all(server), "server", polled(server))
    server.sendall(b"answer")
    say("client", until(client, select.POLLIN), client.recv(10))
    server.shutdown(socket.SHUT_WR)
    say("client", until(client, select.POLLHUP), client.recv(10))
    say("server", until(server, select.POLLHUP))
    attempt("client SO_ERROR", error_of, client)
    attempt("server SO_ERROR", error_of, server)


@subject
def half_close_server_first():
    client, server = pair()
    server.sendall(b"hello")
    server.shutdown(socket.SHUT_WR)
    until(client, select.POLLRDHUP)
    say("client", polled(client))
    say(read_all(client), "client", polled(client))
    client.sendall(b"late")
    say(server.recv(10), "server", polled(server))
    client.close()
    say("server", until(server, select.POLLHUP), server.recv(10))


@subject
def half_close_both_at_once():
    client, server = pair()
    for side in (client, server):
        side.sendall(b"bye")
        side.shutdown(socket.SHUT_WR)
    say(read_all(client), read_all(server))
    say("client", until(client, select.POLLHUP), "server", until(server, select.POLLHUP))


@subject
def half_close_then_much():
    """After the client's FIN the server still sends more than any buffer holds."""
    client, server = pair()
    client.shutdown(socket.SHUT_WR)
    data = os.urandom(3 << 20)
    if os.fork() == 0:
        client.close()
        server.sendall(data)
        os._exit(0)
    server.close()
    say(read_all(client) == data, wait_child())


@subject
def shutdown_twice():
    for first, one in HOWS.items():
        for second, two in HOWS.items():
            client, server = pair()
            client.setblocking(False)
            words = [result_of(client.shutdown, how) for how in (one, two)]
            say(first, second, words, polled(client), result_of(client.recv, 1),
                result_of(lambda: client.send(b"x", socket.MSG_NOSIGNAL)))
            server.close()


@subject
def shutdown_of_a_listener():
    for name, how in HOWS.items():
        door = listener()
        before = door.getsockname()
        door.setblocking(False)
        say(name, result_of(door.shutdown, how))
        say(name, "accept", result_of(door.accept), "poll", polled(door))
        say(name, "connect", result_of(tcp().connect, before))
        say(name, "listen again", result_of(door.listen, 5), result_of(tcp().connect, before))


@subject
def shutdown_wakes_accept():
    door = listener()
    door.setblocking(True)
    if os.fork() == 0:
        time.sleep(0.1)
        os._exit(0)
    waiter = os.fork()
    if waiter == 0:
        say("accept", result_of(door.accept))
        os._exit(0)
    os.wait()
    door.shutdown(socket.SHUT_RDWR)
    os.wait()


@subject
def shutdown_wakes_recv():
    for name, how in HOWS.items():
        client, server = pair()
        client.setblocking(True)
        if os.fork() == 0:
            say(name, "recv", result_of(client.recv, 1))
            os._exit(0)
        time.sleep(0.05)
        client.shutdown(how)
        if how == socket.SHUT_WR:
            server.shutdown(socket.SHUT_WR)
        os.wait()


@subject
def shutdown_reaches_a_dup():
    client, server = pair()
    other = client.dup()
    client.shutdown(socket.SHUT_WR)
    say("dup", result_of(lambda: other.send(b"x", socket.MSG_NOSIGNAL)))
    say(server.recv(1), "dup closed", result_of(other.close))
    server.sendall(b"still")
    say(client.recv(10))


@subject
def shutdown_reaches_over_fork():
    client, server = pair()
    if os.fork() == 0:
        client.shutdown(socket.SHUT_WR)
        os._exit(0)
    os.wait()
    say("parent", result_of(lambda: client.send(b"x", socket.MSG_NOSIGNAL)))
    say("server", server.recv(1))
    server.sendall(b"still")
    say(client.recv(10))


@subject
def close_of_one_dup_ends_nothing():
    client, server = pair()
    other = client.dup()
    client.close()
    server.setblocking(False)
    say("server", polled(server, wait=50), result_of(server.recv, 1))
    other.close()
    say("server", until(server, select.POLLIN), result_of(server.recv, 1))


@subject
def close_in_one_process_ends_nothing():
    client, server = pair()
    ready = os.pipe()
    if os.fork() == 0:
        server.close()
        os.read(ready[0], 1)
        client.sendall(b"from the child")
        os._exit(0)
    client.close()
    say("server", polled(server, wait=50))
    os.write(ready[1], b"x")
    say(read_all(server), wait_child())


@subject
def killed():
    """The kernel closes what a killed process had open."""
    client, server = pair()
    child = os.fork()
    if child == 0:
        signal.pause()
    client.close()
    say("server", polled(server, wait=50))
    os.kill(child, signal.SIGKILL)
    os.wait()
    say("server", until(server, select.POLLIN), server.recv(1))


@subject
def close_with_unread_data():
    client, server = pair()
    server.sendall(b"never read")
    until(client, select.POLLIN)
    client.close()
    until(server, select.POLLHUP)
    say("server", polled(server), result_of(server.recv, 1), result_of(server.recv, 1))


@subject
def close_with_unread_data_both_ways():
    client, server = pair()
    client.sendall(b"lost as well")
    server.sendall(b"never read")
    until(client, select.POLLIN)
    until(server, select.POLLIN)
    client.close()
    until(server, select.POLLHUP)
    say("server", polled(server), result_of(lambda: server.send(b"x", socket.MSG_NOSIGNAL)))


@subject
def close_with_some_read():
    client, server = pair()
    server.sendall(b"half read")
    say(client.recv(4))
    client.close()
    until(server, select.POLLHUP)
    say("server", result_of(server.recv, 1))


@subject
def close_with_all_read():
    client, server = pair()
    server.sendall(b"all read")
    say(client.recv(100))
    client.close()
    say("server", until(server, select.POLLIN), polled(server), result_of(server.recv, 1))


@subject
def linger_0_with_unsent_data():
    client, server = pair()
    client.setblocking(False)
    try:
        while True:
            client.send(bytes(1 << 16))
    except BlockingIOError:
        pass
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.close()
    until(server, select.POLLHUP)
    try:
        while server.recv(1 << 20):
            pass
        say("end")
    except OSError as error:
        say(error.strerror)


@subject
def linger_with_nothing_unsent():
    client, server = pair()
    linger(client, 5)
    client.sendall(b"x")
    say(server.recv(10))
    began = time.monotonic()
    client.close()
    say("at once", time.monotonic() - began < 4, server.recv(1))


@subject
def linger_over_a_shutdown():
    """SO_LINGER 0 makes close reset, a shutdown before it or not."""
    client, server = pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.shutdown(socket.SHUT_WR)
    say("server", until(server, select.POLLIN), server.recv(1))
    client.close()
    say("server", until(server, select.POLLHUP | select.POLLERR), error_of(server))


@subject
def linger_of_a_listener_is_inherited():
    door = listener()
    linger(door, 0)
    client = tcp()
    client.connect(door.getsockname())
    server, _ = door.accept()
    say(struct.unpack("ii", server.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)))
    server.close()
    until(client, select.POLLHUP)
    say("client", result_of(client.recv, 1))


@subject
def write_after_the_peer_closed():
    """The first write meets a RST, what comes then is EPIPE."""
    count_sigpipe()
    client, server = pair()
    server.close()
    until(client, select.POLLIN)
    say("first", result_of(client.send, b"x"))
    until(client, select.POLLHUP)
    say("second", result_of(client.send, b"x"))
    say("third", result_of(lambda: client.send(b"x", socket.MSG_NOSIGNAL)))
    say("SO_ERROR", error_of(client), "recv", result_of(client.recv, 1))


@subject
def so_error_is_told_once():
    client, server = pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    server.close()
    until(client, select.POLLHUP)
    say(error_of(client), error_of(client))
    say("recv", result_of(client.recv, 1), "send", result_of(lambda: client.send(b"x", socket.MSG_NOSIGNAL)))


@subject
def an_error_is_told_by_the_first_call():
    for name, call in (("recv", lambda s: s.recv(1)), ("send", lambda s: s.send(b"x", socket.MSG_NOSIGNAL)),
                       ("read", lambda s: os.read(s.fileno(), 1)), ("SO_ERROR", error_of)):
        client, server = pair()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        server.close()
        until(client, select.POLLHUP)
        say(name, result_of(call, client), result_of(call, client), error_of(client))


@subject
def reset_while_waiting():
    """A RST wakes a recv that waits."""
    client, server = pair()
    client.setblocking(True)
    child = os.fork()
    if child == 0:
        server.close()
        say("recv", result_of(client.recv, 1), result_of(client.recv, 1))
        os._exit(0)
    client.close()
    time.sleep(0.05)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    server.close()
    os.wait()


@subject
def reset_before_accept():
    door = listener()
    client = tcp()
    client.connect(door.getsockname())
    until(door, select.POLLIN)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    client.close()
    time.sleep(0.05)
    say("poll", polled(door))
    server, _ = door.accept()
    say("accepted", result_of(server.recv, 1), result_of(server.recv, 1), error_of(server))
    say("getpeername", result_of(server.getpeername))


@subject
def end_before_accept():
    door = listener()
    client = tcp()
    client.connect(door.getsockname())
    client.sendall(b"and gone")
    client.close()
    server, _ = door.accept()
    say(read_all(server), polled(server))


@subject
def keepalive_goes_unnoticed():
    client, server = pair()
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        client.setsockopt(socket.IPPROTO_TCP, option, value)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    say("after probes", polled(client, wait=2500), polled(server))
    server.sendall(b"there")
    say(client.recv(10))
