"""poll, select, epoll, and calls that a signal ends."""
import ctypes
import errno
import select
import signal
import socket
import struct

from subjects.base import HOST, PATIENCE, pair, polled, port, read_all, say, subject, until, words


@subject
def selectors():
    client, server = pair()
    say(select.select([client, server], [client, server], [], 0)[0] == [], polled(client))
    server.sendall(b"x")
    say(select.select([client], [], [], PATIENCE)[0] == [client], polled(client))
    watch = select.epoll()
    watch.register(client, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
    say("edge", [words(mask) for _, mask in watch.poll(PATIENCE)], watch.poll(0))
    server.sendall(b"y")
    say("edge", [words(mask) for _, mask in watch.poll(PATIENCE)], watch.poll(0))
    watch.modify(client, select.EPOLLIN | select.EPOLLONESHOT)
    say("once", [words(mask) for _, mask in watch.poll(PATIENCE)], watch.poll(0))
    outer = select.epoll()
    outer.register(watch, select.EPOLLIN)
    watch.modify(client, select.EPOLLIN | select.EPOLLRDHUP)
    say("epoll in epoll", [words(mask) for _, mask in outer.poll(PATIENCE)])
    server.close()
    say("end", until(client, select.POLLRDHUP), read_all(client))


@subject
def alarms():
    def ring(*_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise TimeoutError

    def waits(what, call, *arguments):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # again, if the first one came before the call waited
            call(*arguments)
            say(what, "came back")
        except TimeoutError as error:
            say(what, "alarm" if error.errno is None else errno.errorcode[error.errno])

    signal.signal(signal.SIGALRM, ring)
    door = socket.create_server((HOST, 0))
    waits("accept", door.accept)
    blocked = socket.socket()
    waits("connect", blocked.connect, port("full"))
    client, server = pair()
    client.setblocking(True)
    waits("recv", client.recv, 1)
    client.sendall(b"x")
    say(server.recv(1))


@subject
def interrupted():
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGALRM, lambda *_: signal.setitimer(signal.ITIMER_REAL, 0))  # it runs behind the call
    signal.siginterrupt(signal.SIGALRM, True)
    door = socket.create_server((HOST, 0))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    say("accept", libc.accept(door.fileno(), None, None), errno.errorcode[ctypes.get_errno()])
    blocked = socket.socket()
    address = struct.pack("!HH4s8x", 0, port("full")[1], socket.inet_aton(HOST))
    address = struct.pack("H", socket.AF_INET) + address[2:]
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    say("connect", libc.connect(blocked.fileno(), address, 16), errno.errorcode[ctypes.get_errno()])
    say(polled(blocked))
    say("connect", errno.errorcode[blocked.connect_ex(port("full"))] if not blocked.setblocking(False) else "")
