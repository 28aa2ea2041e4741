#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A name server: nameserver.py FILE ADDRESS=ANSWER... Each ADDRESS answers on port 53, for names below "example", with its own
ANSWER; other names there are none. Makes FILE once it listens."""

import selectors
import socket
import struct
import sys


def reply(query, answer):
    end = 12
    labels = []
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].lower())
        end += 1 + query[end]
    question = query[12 : end + 5]
    known = labels[-1:] == [b"example"]
    is_a = question[-4:] == struct.pack("!HH", 1, 1)
    records = b""
    if known and is_a:
        records = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(answer)
    flags = 0x8580 | (0 if known else 3)  # an answer, with authority and recursion; 3: no such name
    return query[:2] + struct.pack("!HHHHH", flags, 1, bool(records), 0, 0) + question + records


def main():
    selector = selectors.DefaultSelector()
    for word in sys.argv[2:]:
        address, answer = word.split("=")
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((address, 53))
        selector.register(server, selectors.EVENT_READ, answer)
    open(sys.argv[1], "w").close()
    while True:
        for key, _ in selector.select():
            query, client = key.fileobj.recvfrom(4096)
            key.fileobj.sendto(reply(query, key.data), client)


main()
