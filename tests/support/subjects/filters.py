"""Source filters of groups, whole: by socket option, and by their names in RFC 3678."""
import ctypes
import os
import socket
import struct

from subjects.base import attempt, say, subject

MSFILTER, IP_MSFILTER = 48, 41
INCLUDE, EXCLUDE = 1, 0
GROUPS = {socket.AF_INET: "239.1.2.3", socket.AF_INET6: "ff05::123"}
SOURCES = {socket.AF_INET: ["192.0.2.1", "192.0.2.2"], socket.AF_INET6: ["fd00::1", "fd00::2"]}
LEVEL = {socket.AF_INET: socket.IPPROTO_IP, socket.AF_INET6: socket.IPPROTO_IPV6}
JOIN = 42
LIBC = ctypes.CDLL(None, use_errno=True)


def storage(family, text):
    packed = socket.inet_pton(family, text)
    bare = struct.pack("=HHI16s", family, 0, 0, packed) if family == socket.AF_INET6 else struct.pack("=HH4s", family, 0, packed)
    return bare.ljust(128, b"\0")


def group_filter(family, mode, sources, count=None):
    return (struct.pack("=Q", 1) + storage(family, GROUPS[family]) +
            struct.pack("=II", mode, len(sources) if count is None else count) +
            b"".join(storage(family, text) for text in sources))


def show(what, made, family, room):
    """What getsockopt finds: mode, how many sources there are, and those that had room."""
    asked = ctypes.create_string_buffer(group_filter(family, 7, [], room), 144 + 128 * room)
    size = ctypes.c_uint32(len(asked))
    if LIBC.getsockopt(made.fileno(), LEVEL[family], MSFILTER, asked, ctypes.byref(size)) < 0:
        say(what, os.strerror(ctypes.get_errno()))
        return
    mode, count = struct.unpack_from("=II", asked.raw, 136)
    at, width = (8, 16) if family == socket.AF_INET6 else (4, 4)
    found = [socket.inet_ntop(family, asked.raw[i + at:i + at + width]) for i in range(144, size.value, 128)]
    say(what, mode, count, sorted(found) if room >= count else len(found))


@subject
def filters():
    for family, group in GROUPS.items():
        made = socket.socket(family, socket.SOCK_DGRAM)
        level, sources = LEVEL[family], SOURCES[family]
        attempt("not joined", made.setsockopt, level, MSFILTER, group_filter(family, EXCLUDE, sources))
        attempt("joined", made.setsockopt, level, JOIN, struct.pack("=Q", 1) + storage(family, group))
        show("first", made, family, 4)
        attempt("include", made.setsockopt, level, MSFILTER, group_filter(family, INCLUDE, sources))
        show("include", made, family, 4)
        show("room for one", made, family, 1)
        attempt("exclude", made.setsockopt, level, MSFILTER, group_filter(family, EXCLUDE, sources[:1]))
        show("exclude", made, family, 4)
        attempt("no such mode", made.setsockopt, level, MSFILTER, group_filter(family, 9, sources))
        attempt("short", made.setsockopt, level, MSFILTER, group_filter(family, EXCLUDE, sources)[:-1])
        attempt("no head", made.setsockopt, level, MSFILTER, b"\0" * 100)
        attempt("left", made.setsockopt, level, MSFILTER, group_filter(family, INCLUDE, []))
        show("left", made, family, 4)


@subject
def filters_of_streams():
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    show("of a stream", made, socket.AF_INET, 4)


@subject
def filters_by_name():
    for family, group in GROUPS.items():
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setsockopt(LEVEL[family], JOIN, struct.pack("=Q", 1) + storage(family, group))
        size = 28 if family == socket.AF_INET6 else 16
        listed = b"".join(storage(family, text) for text in SOURCES[family])
        call = LIBC.setsourcefilter(made.fileno(), 1, storage(family, group), size, INCLUDE, 2, listed)
        say("setsourcefilter", call)
        mode, count, found = ctypes.c_uint32(7), ctypes.c_uint32(4), ctypes.create_string_buffer(4 * 128)
        call = LIBC.getsourcefilter(made.fileno(), 1, storage(family, group), size, ctypes.byref(mode),
                                    ctypes.byref(count), found)
        say("getsourcefilter", call, mode.value, count.value, all(socket.inet_pton(family, text) in found.raw
                                                                  for text in SOURCES[family]))
