#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A TCP connection on which both sides send random bytes at once, and a checksum of them at the end.

usage: stream.py listen|connect ADDRESS PORT PROGRESS (--bytes N | --until FILE) [--rate N]

PROGRESS is a file that always holds how many bytes have come so far. Sends N bytes, or until FILE
exists. Exit status 0 only if all came that the other side sent; the last line tells how many.
"""
import argparse
import hashlib
import os
import socket
import struct
import sys
import threading
import time

CHUNK = 16384


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["listen", "connect"])
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("progress")
    parser.add_argument("--bytes", type=int)
    parser.add_argument("--until")
    parser.add_argument("--rate", type=int, help="bytes a second", default=1_000_000)
    return parser.parse_args()


def note(path, count):
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(str(count))
    os.rename(path + ".new", path)


def connection(args):
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    if args.role == "connect":
        sock.connect((args.address, args.port))
        note(args.progress, 0)
        return sock
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((args.address, args.port))
    sock.listen(1)
    note(args.progress, 0)
    return sock.accept()[0]


def send(sock, args):
    digest, total, started = hashlib.sha256(), 0, time.monotonic()
    while total < args.bytes if args.bytes else not os.path.exists(args.until):
        chunk = os.urandom(min(CHUNK, args.bytes - total) if args.bytes else CHUNK)
        digest.update(chunk)
        sock.sendall(struct.pack("!I", len(chunk)) + chunk)
        total += len(chunk)
        if not args.bytes:
            # The pace, not a wait for something: a steady trickle over the time of the test. Time
            # in which nothing moved is not made up for.
            started = max(started, time.monotonic() - total / args.rate - 0.1)
            time.sleep(max(0, started + total / args.rate - time.monotonic()))
    sock.sendall(struct.pack("!I", 0) + digest.digest())
    sock.shutdown(socket.SHUT_WR)


def receive(sock, args):
    digest, total, noted = hashlib.sha256(), 0, 0.0
    with sock.makefile("rb", buffering=65536) as file:
        while length := struct.unpack("!I", file.read(4))[0]:
            chunk = file.read(length)
            if len(chunk) != length:
                sys.exit(f"wrong: cut off after {total} bytes")
            digest.update(chunk)
            total += length
            if time.monotonic() - noted > 0.02:
                noted = time.monotonic()
                note(args.progress, total)
        note(args.progress, total)
        if file.read() != digest.digest():
            sys.exit(f"wrong: checksum of {total} bytes")
    print(f"right {total}")


def main():
    args = arguments()
    sock = connection(args)
    sender = threading.Thread(target=send, args=(sock, args), daemon=True)
    sender.start()
    receive(sock, args)
    sender.join()


main()
