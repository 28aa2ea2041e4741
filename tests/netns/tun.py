#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TUN devices by hand.

usage: tun.py attach INTERFACE          tries, as an unprivileged user, to get a queue of it in every way; prints each
                                        way that worked, and exits with status 1 if one did
       tun.py squat INTERFACE           gets a queue of it, as an unprivileged user, and keeps it in the background; prints
                                        "in", or why not
       tun.py hand INTERFACE PROGRAM    makes the interface and its listening UAPI socket, and becomes PROGRAM with
                                        both handed down
"""
import fcntl
import os
import signal
import socket
import struct
import sys

TUNSETIFF, TUNGETIFF = 0x400454CA, 0x800454D2
TUN, NO_PI, MULTI_QUEUE, VNET_HDR = 0x0001, 0x1000, 0x0100, 0x4000


def open_tun(name, flags):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    except OSError:
        os.close(fd)
        raise
    return fd


def become_nobody():
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)


def attach(name):
    become_nobody()
    worked = False
    for extra in (0, MULTI_QUEUE, VNET_HDR, MULTI_QUEUE | VNET_HDR):
        try:
            os.close(open_tun(name, TUN | NO_PI | extra))
        except OSError:
            continue
        worked = True
        print(f"flags {TUN | NO_PI | extra:#x}")
    sys.exit(worked)


def squat(name):
    become_nobody()
    try:
        open_tun(name, TUN | NO_PI | MULTI_QUEUE | VNET_HDR)
    except OSError as error:
        print(error.strerror)
        return
    print("in", flush=True)
    if not os.fork():
        os.closerange(0, 3)
        signal.pause()


def hand(name, program):
    tun = open_tun(name, TUN | NO_PI)
    os.makedirs("/var/run/wireguard", 0o755, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o077)
    listener.bind(f"/var/run/wireguard/{name}.sock")
    listener.listen(16)
    os.set_inheritable(tun, True)
    os.set_inheritable(listener.fileno(), True)
    environment = dict(os.environ, WG_TUN_FD=str(tun), WG_UAPI_FD=str(listener.fileno()))
    os.execve(program, [program, "-f", name], environment)


if sys.argv[1] == "attach":
    attach(sys.argv[2])
elif sys.argv[1] == "squat":
    squat(sys.argv[2])
else:
    hand(sys.argv[2], sys.argv[3])
