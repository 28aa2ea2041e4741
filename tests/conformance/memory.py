#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Looks for secrets in the memory of a process, in every form in which a program might leave them. (Not in registers: those
of a thread that waits are the kernel's, which neither swaps nor dumps them.)

    memory.py [--input FILE] [--printed] [--secret BASE64]... COMMAND [ARGUMENT]...

runs the command, stops it at the last moment before its memory is gone, and says what is left there of each --secret (a key
in base64) or, with --printed, of the keys that it prints; the exit status is 1 then, 2 when there was no key to look for.
"""
import argparse
import base64
import contextlib
import ctypes
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile

PAGE = 4096
PTRACE_CONT, PTRACE_SEIZE = 7, 0x4206
PTRACE_O_TRACECLONE, PTRACE_O_TRACEEXIT = 0x08, 0x40
PTRACE_EVENT_EXIT = 6
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


# Forms

def parts(data, size=8):
    """What a register or a line of a buffer may have kept of it. Eight bytes are no accident."""
    return [data[at:at + size] for at in range(0, len(data) - size + 1, size)]


def limbs(number, widths, size):
    """A number modulo 2^255 - 19 as field arithmetic keeps it, two limbs a part where they are small."""
    packed = b""
    for width in widths:
        packed += (number & (1 << width) - 1).to_bytes(size, "little")
        number >>= width
    return [part for part in parts(packed) if len(set(part)) > 4]


def digits(key):
    """Of a private key, as the multiplication of the base point counts through it: 64 digits from -8 to 8."""
    plain = [digit for byte in key for digit in (byte & 15, byte >> 4)]
    carried, carry = [], 0
    for digit in plain[:-1]:
        digit += carry
        carry = (digit + 8) >> 4
        carried.append(digit - (carry << 4))
    carried.append(plain[-1] + carry)
    return parts(bytes(plain), 16) + parts(bytes(digit & 0xFF for digit in carried), 16)


def clamp(key):
    return bytes([key[0] & 248]) + key[1:31] + bytes([key[31] & 127 | 64])


def forms(secret):
    """Form -> patterns, any of which gives at least eight bytes of the secret away."""
    words = struct.unpack(f"<{len(secret) // 4}I", secret)
    text = base64.b64encode(secret)
    found = {
        "bytes": parts(secret),
        "bytes backwards": parts(secret[::-1]),
        "words, big-endian": parts(struct.pack(f">{len(words)}I", *words)),
        "words, each in all lanes of a vector": [struct.pack("<I", word) * 4 for word in words],
        "hexadecimal": parts(secret.hex().encode(), 16) + parts(secret.hex().upper().encode(), 16),
        "base64": parts(text.rstrip(b"="), 12),
        "the inner key of HMAC": parts(bytes(byte ^ 0x36 for byte in secret)),
        "the outer key of HMAC": parts(bytes(byte ^ 0x5C for byte in secret)),
    }
    if len(secret) == 32:
        number = int.from_bytes(secret, "little") % 2**255 % (2**255 - 19)
        found["bytes, clamped"] = parts(clamp(secret))
        found["limbs of 51 bits"] = limbs(number, [51] * 5, 8)
        found["limbs of 25 and 26 bits"] = limbs(number, [26, 25] * 5, 4)
        found["digits"] = digits(clamp(secret))
    return found


def search(blobs, secrets):
    """blobs: place -> bytes; secrets: name -> bytes. The finds, as lines of text."""
    finds = []
    for name, secret in secrets.items():
        for form, patterns in forms(secret).items():
            for place, blob in blobs.items():
                count = sum(1 for pattern in patterns if blob.find(pattern) >= 0)
                if count:
                    finds.append(f"{name}: {count} of {len(patterns)} parts as {form} in {place}")
    return finds


# Places

def blobs(pid):
    """Place -> bytes: all that the process may write to, less what is zero."""
    found = {}
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps.splitlines():
            span, permissions, _, _, _, *name = line.split(None, 5)
            start, end = (int(address, 16) for address in span.split("-"))
            if "w" not in permissions or name and name[0].startswith("[v"):
                continue
            for place, blob in resident(memory, start, end):
                found[f"{place:x} {name[0] if name else ''}".rstrip()] = blob
    return found


def resident(memory, start, end):
    """The runs of pages of a mapping that hold anything."""
    run, begin, at = bytearray(), start, start
    while at < end:
        size = min(end - at, 4 << 20)
        memory.seek(at)
        try:
            chunk = memory.read(size)
        except OSError:  # a guard page, or gone by now
            chunk = bytes(size)
        for offset in range(0, len(chunk), PAGE):
            page = chunk[offset:offset + PAGE]
            if page.count(0) == len(page):
                if run:
                    yield begin, bytes(run)
                    run = bytearray()
                continue
            if not run:
                begin = at + offset
            run += page
        at += size
    if run:
        yield begin, bytes(run)


def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace {request:#x} of {pid}: {os.strerror(error)}")


def threads(pid):
    return [int(task) for task in os.listdir(f"/proc/{pid}/task")]


def look(pid, secrets):
    """What a running process holds of the secrets."""
    return search(blobs(pid), secrets)


class Watched:
    """A child of ours, held at its end: .memory is what it had then."""

    def __init__(self, pid):
        self.pid = pid
        self.memory = {}
        for task in threads(pid):
            ptrace(PTRACE_SEIZE, task, 0, PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE)

    def wait(self):
        """Until it has ended. Its wait status."""
        while True:
            task, status = os.waitpid(-1, WALL)
            if task == self.pid and not os.WIFSTOPPED(status):
                return status
            if not os.WIFSTOPPED(status):
                continue
            event = status >> 16
            if event == PTRACE_EVENT_EXIT and task == self.pid:
                self.memory = blobs(self.pid)
            deliver = 0 if event else os.WSTOPSIG(status)
            with contextlib.suppress(ProcessLookupError):
                ptrace(PTRACE_CONT, task, 0, deliver)


def run(command, stdin):
    """Runs a command to its end. (its exit status, its output, what it held at its end)"""
    with tempfile.TemporaryFile() as output:
        ours, theirs = os.pipe()
        # Waits until we watch it, and only then becomes the command.
        process = subprocess.Popen(["/bin/sh", "-c", f'read -r _ <&{ours}; exec {ours}<&-; exec "$@"', "sh", *command],
                                   stdin=stdin, stdout=output, pass_fds=[ours])
        watched = Watched(process.pid)
        os.write(theirs, b"\n")
        os.close(ours)
        os.close(theirs)
        status = watched.wait()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return process.returncode, output.read(), watched.memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", default="/dev/null")
    parser.add_argument("--printed", action="store_true")
    parser.add_argument("--secret", action="append", default=[])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with open(options.input, "rb") as stdin:
        status, output, memory = run(options.command, stdin)
    keys = [key.encode() for key in options.secret]
    if options.printed:
        keys += re.findall(rb"[A-Za-z0-9+/]{43}=", output)
    secrets = {f"key {number}": base64.b64decode(key) for number, key in enumerate(keys, 1)}
    sys.stdout.buffer.write(output)
    sys.stdout.flush()
    if not secrets or not memory:
        print(f"memory.py: {len(secrets)} keys to look for in {len(memory)} places", file=sys.stderr)
        return 2
    finds = search(memory, secrets)
    for find in finds:
        print(f"left behind: {find}", file=sys.stderr)
    return 1 if finds or status else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
