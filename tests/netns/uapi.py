#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of the UAPI socket: operations from stdin, answers to stdout.

usage: uapi.py [--eof] [--nobody] INTERFACE

The operations, each ended by an empty line, go over one connection one by one; the answer to each is
awaited before the next. With --eof all of stdin is sent at once, and its end is what ends the last
operation. With --nobody as an unprivileged user.
"""
import os
import socket
import sys


def read_answer(sock):
    answer = b""
    while not answer.endswith(b"\n\n"):
        got = sock.recv(65536)
        if not got:
            sys.stdout.write(answer.decode())
            sys.exit("the connection was closed")
        answer += got
    return answer


def main():
    options, name = sys.argv[1:-1], sys.argv[-1]
    operations = sys.stdin.read()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(10)
    if "--nobody" in options:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    try:
        sock.connect(f"/var/run/wireguard/{name}.sock")
    except OSError as error:
        sys.exit(f"connect: {error.strerror}")
    if "--eof" in options:
        sock.sendall(operations.encode())
        sock.shutdown(socket.SHUT_WR)
        while got := sock.recv(65536):
            sys.stdout.write(got.decode())
        return
    for operation in filter(None, operations.strip("\n").split("\n\n")):
        sock.sendall((operation + "\n\n").encode())
        sys.stdout.write(read_answer(sock).decode())


main()
