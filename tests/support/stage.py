#!/usr/bin/env python3
"""A network for one run of subjects, where nobody else is: `stage.py COMMAND...` runs the command there.

It has loopback, the servers of peers.py, and networks that cannot be reached, each in its way.
NETS in the environment of the command says "own" then. Where the kernel allows no network namespace
the command gets the host's network, with the servers, and NETS is "host".
"""
import ctypes
import os
import subprocess
import sys

import lan
import peers
import rig

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
WATCHED = {"linger": "echo", "half": "echo", "unread": "hello"}
ROUTES = (("unreachable", "198.51.100.0/25"), ("prohibit", "198.51.100.128/25"))


def write(path, text):
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def leave_host():
    """True: this process is in a network namespace of its own, and may configure it."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNET) == 0:
        return True
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"0 {uid} 1")
    write("/proc/self/gid_map", f"0 {gid} 1")
    return True


def furnish():
    lan.ip("link", "set", "lo", "up")
    for kind, network in ROUTES:
        lan.ip("route", "add", kind, network)


def main():
    is_own = bool(rig.find("ip")) and leave_host()
    if is_own:
        furnish()
    servers = peers.Peers(WATCHED)
    environment = {**os.environ, **servers.environment(), "NETS": "own" if is_own else "host"}
    status = subprocess.call(sys.argv[1:], env=environment)
    servers.close()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
