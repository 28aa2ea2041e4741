#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Datagrams whose every byte can be checked, many at a time as the kernel splits them (UDP_SEGMENT).

usage: datagrams.py send ADDRESS PORT COUNT SIZE
       datagrams.py receive ADDRESS PORT READY COUNT

Each carries its number, and bytes that follow from the number. The receiver makes the file READY when it listens. It ends with
the last one, numbered COUNT - 1, or when none has come for 2 seconds, and fails when a byte is wrong, when the order is, or when fewer
than half of them came.
"""
import hashlib
import pathlib
import socket
import struct
import sys
import time

UDP_SEGMENT = 103
AT_ONCE = 16
AHEAD = 128  # so many are sent before the receiver has to say that it keeps up
LAST_AGAIN = 20  # the end must come through


def contents(number, size):
    block = hashlib.sha256(struct.pack("<Q", number)).digest()
    return struct.pack("<QI", number, size) + (block * (size // len(block) + 1))[: size - 12]


def open_socket(address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)


def hear(sender, first):
    """Waits until the receiver has what came before the last AHEAD, or for as long as a lost one may take."""
    sender.settimeout(0.5)
    try:
        while struct.unpack("<Q", sender.recv(8))[0] < first - AHEAD:
            pass
    except (socket.timeout, ConnectionRefusedError):
        pass  # the receiver says why it ended
    sender.settimeout(None)


def greet(sender):
    """The kernel reads a flow from another queue of the TUN once its first packet has come in: before the stream, as
    packets may overtake others then."""
    sender.settimeout(1)
    for _ in range(LAST_AGAIN):
        sender.send(b"?")
        try:
            return sender.recv(8)
        except socket.timeout:
            pass
    sys.exit("nobody answers")


def send(address, port, count, size):
    with open_socket(address) as sender:
        sender.connect((address, port))
        greet(sender)
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        for first in range(0, count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, count))
            sender.send(b"".join(contents(number, size) for number in numbers))
            if first % AHEAD == 0 and first:
                hear(sender, first)
        try:
            for _ in range(LAST_AGAIN):
                sender.send(contents(count - 1, size))
                time.sleep(0.01)
        except ConnectionRefusedError:
            pass  # it came, and nobody listens any more


def receive(address, port, ready, count):
    came, last = 0, -1
    with open_socket(address) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind((address, port))
        receiver.settimeout(20)  # for the sender to start
        pathlib.Path(ready).touch()
        try:
            while last < count - 1:
                datagram, sender = receiver.recvfrom(65536)
                if datagram == b"?":
                    receiver.sendto(b"!" * 8, sender)
                    continue
                receiver.settimeout(2)
                number, size = struct.unpack_from("<QI", datagram)
                if datagram != contents(number, size):
                    sys.exit(f"datagram {number} came with a wrong byte")
                if number <= last:
                    sys.exit(f"datagram {number} came after {last}")
                if number // AT_ONCE != last // AT_ONCE:
                    receiver.sendto(struct.pack("<Q", number), sender)
                came, last = came + 1, number
        except socket.timeout:
            pass
    print(f"{came} of {count} came, none wrong, all in order")
    if came * 2 < count:
        sys.exit("too few")


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        receive(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
