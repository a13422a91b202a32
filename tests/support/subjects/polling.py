"""What poll, select and epoll tell of each event: level, edge, once, of listeners and of ends."""
import os
import select
import socket
import threading

from subjects.base import (LINGER_0, PATIENCE, listener, pair, polled, port, result_of, say, subject, tcp, until,
                           words)

IN, OUT, RDHUP, ET = select.EPOLLIN, select.EPOLLOUT, select.EPOLLRDHUP, select.EPOLLET
ONESHOT, EXCLUSIVE = select.EPOLLONESHOT, select.EPOLLEXCLUSIVE


def watch(made, mask):
    found = select.epoll()
    found.register(made, mask)
    return found


def shown(epoll, wait=0):
    return [words(mask) for _, mask in epoll.poll(wait)]


def reset(made):
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    made.close()


@subject
def level_tells_again():
    client, server = pair()
    epoll = watch(server, IN | RDHUP)
    say("quiet", shown(epoll))
    client.sendall(b"abc")
    say("data", shown(epoll, PATIENCE), shown(epoll))
    server.recv(1)
    say("some left", shown(epoll))
    server.recv(10)
    say("none left", shown(epoll))
    client.shutdown(socket.SHUT_WR)
    say("end", shown(epoll, PATIENCE), shown(epoll))


@subject
def edge_tells_once():
    client, server = pair()
    epoll = watch(server, IN | RDHUP | ET)
    client.sendall(b"abc")
    say("data", shown(epoll, PATIENCE), shown(epoll))
    server.recv(1)
    say("some left", shown(epoll))
    client.sendall(b"d")
    say("more", shown(epoll, PATIENCE), shown(epoll))
    say(server.recv(10))
    client.shutdown(socket.SHUT_WR)
    say("end", shown(epoll, PATIENCE), shown(epoll))


@subject
def edge_after_modify():
    client, server = pair()
    epoll = watch(server, IN | ET)
    client.sendall(b"abc")
    say(shown(epoll, PATIENCE), shown(epoll))
    epoll.modify(server, IN | ET)
    say("modified", shown(epoll), shown(epoll))
    epoll.unregister(server)
    epoll.register(server, IN | ET)
    say("registered again", shown(epoll), shown(epoll))


@subject
def edge_for_writing():
    client, server = pair()
    epoll = watch(client, OUT | ET)
    say("at first", shown(epoll), shown(epoll))
    client.setblocking(False)
    sent, is_full = 0, False
    while not is_full:
        try:
            sent += client.send(bytes(1 << 16))
        except BlockingIOError:
            is_full = polled(client, select.POLLOUT, 100) == "nothing"
    shown(epoll)
    while sent:
        sent -= len(server.recv(1 << 20))
    say("room", shown(epoll, PATIENCE))


@subject
def once():
    client, server = pair()
    epoll = watch(server, IN | ONESHOT)
    client.sendall(b"abc")
    say(shown(epoll, PATIENCE), shown(epoll))
    client.sendall(b"more")
    until(server, select.POLLIN)
    say("disarmed", shown(epoll))
    epoll.modify(server, IN | ONESHOT)
    say("armed", shown(epoll), shown(epoll))


@subject
def exclusive():
    _, server = pair()
    epoll = watch(server, IN | EXCLUSIVE)
    say("modify", result_of(epoll.modify, server, IN | EXCLUSIVE))
    say("with ONESHOT", result_of(select.epoll().register, server, IN | EXCLUSIVE | ONESHOT))
    door = listener()
    doors = [watch(door, IN | EXCLUSIVE) for _ in range(2)]
    client = tcp()
    client.connect(door.getsockname())
    until(door, select.POLLIN)
    say("somebody is told", any(shown(one) for one in doors))


@subject
def two_watch_one():
    client, server = pair()
    edges, levels = watch(server, IN | ET), watch(server, IN)
    client.sendall(b"x")
    say(shown(edges, PATIENCE), shown(levels, PATIENCE), shown(edges), shown(levels))
    say("twice in one", result_of(edges.register, server, IN))
    server.recv(1)
    say(shown(edges), shown(levels))


@subject
def a_dup_stays_watched():
    client, server = pair()
    other = server.dup()
    epoll = watch(server, IN)
    server.close()
    client.sendall(b"x")
    say("the dup is open", shown(epoll, PATIENCE))
    other.close()
    say("nothing is", shown(epoll))


@subject
def a_listener():
    door = listener()
    levels, edges = watch(door, IN | OUT | RDHUP), watch(door, IN | OUT | ET)
    say("nobody", shown(levels), shown(edges))
    clients = [tcp() for _ in range(2)]
    clients[0].connect(door.getsockname())
    say("one", shown(levels, PATIENCE), shown(edges, PATIENCE), shown(edges))
    clients[1].connect(door.getsockname())
    say("another", shown(edges, PATIENCE))
    door.accept()
    say("one left", shown(levels))
    door.accept()
    say("none left", shown(levels))


@subject
def events_of_ends():
    for name, end in (("shutdown", lambda s: s.shutdown(socket.SHUT_WR)), ("close", lambda s: s.close()),
                      ("reset", reset)):
        client, server = pair()
        levels, edges = watch(client, IN | RDHUP), watch(client, IN | RDHUP | ET)
        end(server)
        until(client, select.POLLRDHUP)
        say(name, shown(levels, PATIENCE), shown(edges, PATIENCE))
        say(name, "for writing", polled(client, select.POLLOUT), "for nothing", polled(client, 0))


@subject
def events_of_own_shutdown():
    for name, how in (("RD", socket.SHUT_RD), ("WR", socket.SHUT_WR), ("RDWR", socket.SHUT_RDWR)):
        client, _ = pair()
        epoll = watch(client, IN | OUT | RDHUP)
        before = shown(epoll)
        client.shutdown(how)
        say(name, before, shown(epoll), "for nothing", polled(client, 0))


@subject
def events_of_connect():
    for name in ("echo", "closed", "full"):
        made = tcp()
        levels, edges = watch(made, IN | OUT | RDHUP), watch(made, IN | OUT | RDHUP | ET)
        say(name, "before", shown(levels), shown(edges))
        made.setblocking(False)
        made.connect_ex(port(name))
        if name == "full":
            say(name, "under way", shown(levels), shown(edges))
            continue
        until(made, select.POLLOUT)
        say(name, "over", shown(levels), shown(edges, PATIENCE) != [])


@subject
def select_in_each_list():
    client, server = pair()
    say([len(found) for found in select.select([client], [client], [client], 0)])
    server.sendall(b"x")
    until(client, select.POLLIN)
    say([len(found) for found in select.select([client], [client], [client], 0)])
    server.send(b"!", socket.MSG_OOB)
    until(client, select.POLLPRI)
    say([len(found) for found in select.select([client], [client], [client], 0)])
    reset(server)
    until(client, select.POLLHUP)
    say([len(found) for found in select.select([client], [client], [], 0)])


@subject
def poll_of_what_is_closed():
    made = tcp()
    number = made.fileno()
    watched = select.poll()
    watched.register(number, select.POLLIN)
    made.close()
    say([words(mask) for _, mask in watched.poll(0)])
    say("epoll", result_of(select.epoll().register, number, IN))


@subject
def a_waiting_epoll_is_woken():
    for name, do in (("data", lambda s: s.sendall(b"x")), ("end", lambda s: s.shutdown(socket.SHUT_WR)),
                     ("reset", reset)):
        client, server = pair()
        epoll = watch(client, IN | RDHUP | ET)
        timer = threading.Timer(0.03, do, [server])
        timer.start()
        say(name, bool(shown(epoll, PATIENCE)))
        timer.join()


@subject
def an_epoll_over_fork():
    client, server = pair()
    epoll = watch(server, IN)
    if os.fork() == 0:
        say("child", shown(epoll, PATIENCE), server.recv(10))
        os._exit(0)
    client.sendall(b"x")
    os.wait()
    say("parent", shown(epoll))
