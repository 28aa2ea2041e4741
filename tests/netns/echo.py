#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Datagrams of all sizes, there and back.

usage: echo.py serve ADDRESS PORT READY    echoes for ever; makes the file READY when it can
       echo.py send ADDRESS PORT           exit status 0 only if each came back as it was
"""
import os
import socket
import sys

SIZES = list(range(0, 1440)) + [2000, 2800, 4096, 9000, 65000]
TRIES = 3


def open_socket(address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)


def serve(address, port, ready):
    with open_socket(address) as sock:
        sock.bind((address, port))
        with open(ready, "wb"):
            pass
        while True:
            data, sender = sock.recvfrom(65535)
            sock.sendto(data, sender)


def exchange(sock, data):
    for _ in range(TRIES):
        sock.send(data)
        try:
            while True:
                if sock.recv(65535) == data:
                    return True
        except socket.timeout:
            pass
    return False


def send(address, port):
    with open_socket(address) as sock:
        sock.settimeout(1)
        sock.connect((address, port))
        for size in SIZES:
            if not exchange(sock, os.urandom(size)):
                sys.exit(f"{size} bytes did not come back")


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]), sys.argv[4])
else:
    send(sys.argv[2], int(sys.argv[3]))
