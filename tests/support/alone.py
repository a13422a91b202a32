"""A network where nobody else is: what other people run on the machine is not met there.

leave_host() moves this process, and all that it starts, into a network namespace of its own with
loopback, where the kernel allows that: as root, or as an ordinary user in a user namespace. Stacks
that run elsewhere cannot be seen from there, and no port is taken.
"""
import ctypes
import os
import subprocess

import rig

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def write(path, text):
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def ip(*words):
    subprocess.run([rig.find("ip"), *words], check=True, stdout=subprocess.DEVNULL)


def leave_host():
    """True: it is so, and this process may configure the network."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if not rig.find("ip"):
        return False
    if libc.unshare(CLONE_NEWNET) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return False
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"0 {uid} 1")
        write("/proc/self/gid_map", f"0 {gid} 1")
    ip("link", "set", "lo", "up")
    return True
