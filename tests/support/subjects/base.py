"""What subjects share: sockets to begin with, and words for what came of a call.

A subject prints no number that may differ from run to run. PORTS in the environment names the
kernel's servers to talk to (peers.py).
"""
import errno
import os
import select
import signal
import socket
import struct

HOST = "127.0.0.1"
PORTS = dict(pair.split("=") for pair in os.environ.get("PORTS", "").split())
SUBJECTS = {}
EVENTS = ["IN", "PRI", "OUT", "ERR", "HUP", "NVAL"]
LINGER_0 = struct.pack("ii", 1, 0)
PATIENCE = 20
SIGNALLED = []


def subject(function):
    SUBJECTS[function.__name__] = function
    return function


def say(*words):
    print(*words, flush=True)


def error_name(error):
    if isinstance(error, socket.timeout) or not error.errno:
        return "timed out"
    return errno.errorcode[error.errno]


def result_of(call, *arguments):
    """What came of a call, as a word: its result, or the name of its error, and a SIGPIPE."""
    SIGNALLED.clear()
    try:
        result = call(*arguments)
        word = "ok" if result is None or isinstance(result, (socket.socket, tuple)) else str(result)
    except OSError as error:
        word = error_name(error)
    return word + (" SIGPIPE" if SIGNALLED else "")


def attempt(what, call, *arguments):
    """Prints the result of a call, or the name of its error; gives the result, or None."""
    try:
        result = call(*arguments)
    except OSError as error:
        say(what, error_name(error))
        return None
    say(what, "ok" if isinstance(result, (socket.socket, tuple)) else result)
    return result


def count_sigpipe():
    """From now on result_of() tells of SIGPIPE too."""
    signal.signal(signal.SIGPIPE, lambda *_: SIGNALLED.append("SIGPIPE"))


def port(name):
    return (HOST, int(PORTS[name]))


def tcp():
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(PATIENCE)
    return made


def udp():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE)
    return made


def listener(backlog=8):
    made = tcp()
    made.bind((HOST, 0))
    made.listen(backlog)
    return made


def pair():
    """A connection of this program with itself: (client, server)."""
    door = listener()
    client = tcp()
    client.connect(door.getsockname())
    server, _ = door.accept()
    server.settimeout(PATIENCE)
    door.close()
    return client, server


def called(name):
    made = tcp()
    made.connect(port(name))
    return made


def read_all(connection):
    parts = []
    while data := connection.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


def ended(name):
    """How the host's server saw the end of the one connection to it."""
    return read_all(called(name + "-ended")).decode()


def option(made, name, level=socket.SOL_SOCKET):
    return made.getsockopt(level, name)


def error_of(made):
    """SO_ERROR by name; it is gone then."""
    return errno.errorcode.get(option(made, socket.SO_ERROR), "0")


def words(mask):
    """The events by name. After a RST the kernel adds ERR to HUP; a carrier can not always."""
    if mask & select.POLLHUP:
        mask &= ~select.POLLERR
    shown = [name for bit, name in enumerate(EVENTS) if mask & 1 << bit]
    return "|".join(shown + (["RDHUP"] if mask & select.POLLRDHUP else [])) or "nothing"


def polled(made, wanted=select.POLLIN | select.POLLOUT | select.POLLRDHUP, wait=0):
    watch = select.poll()
    watch.register(made, wanted)
    found = watch.poll(wait)
    return words(found[0][1]) if found else "nothing"


def until(made, mask):
    """Waits until poll reports one of `mask`."""
    watch = select.poll()
    watch.register(made, mask)
    return words(watch.poll(PATIENCE * 1000)[0][1])
