#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends to an engine what it must not believe, from another address than its peer's.

usage: forge.py LINK SOURCE ADDRESS PORT READY

Watches the LINK (the file READY tells when) until an initiation and a data message to ADDRESS and PORT
have passed. Then sends from SOURCE, IPv4 like all here:
     3  times that initiation, and 3 times that data message
    20  data messages of the same session with a wrong tag
   160  of random contents, 40 of each type, with the reserved bits zero and a length that is right
   140  of a wrong length, of no type, or with reserved bits set
"""
import os
import socket
import struct
import sys

ETH_P_ALL = 3
INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
LENGTHS = {INITIATION: 148, RESPONSE: 92, COOKIE: 64, DATA: 128}


def udp_payload(packet, address, port):
    if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP or packet[16:20] != address:
        return b""
    udp = packet[(packet[0] & 15) * 4:]
    return udp[8:] if struct.unpack("!H", udp[2:4])[0] == port else b""


def watch(link, address, port, ready):
    """One message of either kind."""
    seen = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as sock:
        sock.bind((link, ETH_P_ALL))
        sock.settimeout(20)
        with open(ready, "wb"):
            pass
        while INITIATION not in seen or DATA not in seen:
            packet = sock.recv(65535)
            message = udp_payload(packet, socket.inet_aton(address), port)
            if len(message) == 148 and message[0] == INITIATION or len(message) > 32 and message[0] == DATA:
                seen.setdefault(message[0], message)
    return seen


def forgeries(seen):
    for kind in (INITIATION, DATA):
        yield from [seen[kind]] * 3
    for i in range(20):
        # A counter of the future, so that only the tag is wrong.
        yield seen[DATA][:8] + struct.pack("<Q", 1000 + i) + seen[DATA][16:]
    for kind, length in LENGTHS.items():
        for _ in range(40):
            yield struct.pack("<I", kind) + os.urandom(length - 4)
    for kind, length in LENGTHS.items():
        for _ in range(10):
            yield struct.pack("<I", kind) + os.urandom(length - 5 if kind != DATA else 27)
            yield struct.pack("<I", kind | 1 << 16) + os.urandom(length - 4)
    for _ in range(20):
        yield b""
        yield os.urandom(3)
        yield struct.pack("<I", 5) + os.urandom(144)


def main():
    link, source, address, port, ready = sys.argv[1:]
    seen = watch(link, address, int(port), ready)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        for message in forgeries(seen):
            sock.sendto(message, (address, int(port)))


main()
