#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Listening sockets of all sorts, for an engine to be handed or to run into.

usage: hand_socket.py HOW PROGRAM ARGUMENT...
           runs PROGRAM with WG_UAPI_FD, until it has gone to the background. HOW unbound, connected and inet are sockets
           that no engine can serve. absolute, relative, longest and abstract are names, the first three of files in left.d;
           then the engine is asked for its state, and the last line of its answer is printed
       hand_socket.py full PATH
           fills the queue of a socket at PATH, says so, and stays
"""
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys

PATH_MAX = 108  # of a sockaddr_un
libc = ctypes.CDLL(None, use_errno=True)


def by_name(call, sock, name):
    """bind() or connect() with exactly that name: Python's own leave room for a NUL."""
    address = struct.pack("=H", socket.AF_UNIX) + name
    if call(sock.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make_name(how):
    shutil.rmtree("left.d", ignore_errors=True)
    os.mkdir("left.d")
    if how == "abstract":
        return b"\0wgctl-test-%d" % os.getpid()
    directory = b"left.d/" if how == "relative" else os.getcwdb() + b"/left.d/"
    return directory + b"x" * (PATH_MAX - len(directory) if how == "longest" else 1)


def run(program, listener):
    environment = dict(os.environ, WG_UAPI_FD=str(listener.fileno()))
    status = subprocess.run(program, env=environment, pass_fds=[listener.fileno()], check=False).returncode
    if status:
        sys.exit(status)


def hand(how, program):
    if how == "inet":
        run(program, socket.create_server(("127.0.0.1", 0)))
    elif how == "connected":
        ours, theirs = socket.socketpair()
        run(program, theirs)
        ours.close()
    else:
        run(program, socket.socket(socket.AF_UNIX))


def serve(how, program):
    name = make_name(how)
    with socket.socket(socket.AF_UNIX) as listener:
        by_name(libc.bind, listener, name)
        listener.listen(16)
        run(program, listener)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        by_name(libc.connect, client, name)
        client.sendall(b"get=1\n\n")
        answer = b""
        while not answer.endswith(b"\n\n"):
            answer += client.recv(65536) or sys.exit("the connection was closed")
    print(answer.decode().split("\n")[-3])


def fill(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    clients = []
    try:
        while True:
            clients.append(socket.socket(socket.AF_UNIX))
            clients[-1].setblocking(False)
            clients[-1].connect(path)
    except BlockingIOError:
        print("full", flush=True)
    signal.pause()


if sys.argv[1] == "full":
    fill(sys.argv[2])
elif sys.argv[1] in ("unbound", "connected", "inet"):
    hand(sys.argv[1], sys.argv[2:])
else:
    serve(sys.argv[1], sys.argv[2:])
