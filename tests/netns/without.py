#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Becomes COMMAND, for which some system calls fail, as in a container that refuses them or on a kernel without them.

usage: without.py CALL=ERRNO... COMMAND...
"""
import ctypes
import errno
import os
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000

seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
filters = ctypes.c_void_p(seccomp.seccomp_init(ALLOW))
while "=" in sys.argv[1]:
    call, name = sys.argv.pop(1).split("=")
    number = seccomp.seccomp_syscall_resolve_name(call.encode())
    if seccomp.seccomp_rule_add(filters, ERRNO | getattr(errno, name), number, 0):
        sys.exit(f"cannot refuse {call}")
if seccomp.seccomp_load(filters):
    sys.exit("cannot load the filter")
os.execvp(sys.argv[1], sys.argv[1:])
