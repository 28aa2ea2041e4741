#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a script in the guest: guest.py SOCKET SECONDS < SCRIPT. Prints what it prints and ends with its status."""

import socket
import sys


def receive(channel, length):
    data = b""
    while len(data) < length:
        chunk = channel.recv(length - len(data))
        if not chunk:
            sys.exit("the guest is gone")
        data += chunk
    return data


def main():
    channel = socket.socket(socket.AF_UNIX)
    channel.settimeout(float(sys.argv[2]))
    script = sys.stdin.buffer.read()
    try:
        channel.connect(sys.argv[1])
        channel.sendall(b"%d\n" % len(script) + script)
        head = b""
        while not head.endswith(b"\n"):
            head += receive(channel, 1)
        status, length = map(int, head.split())
        output = receive(channel, length)
    except TimeoutError:
        sys.exit("the guest does not answer")
    sys.stdout.buffer.write(output)
    sys.exit(status)


main()
