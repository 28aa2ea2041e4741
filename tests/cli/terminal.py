#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""terminal.py [--size WIDTHxHEIGHT] [--no-input] [--term TERM] SCRIPT COMMAND...

Runs COMMAND on a pseudo-terminal of that size and does what the SCRIPT says, separated by ";":
  see TEXT       waits until the screen shows it
  frames N       waits for so many more pictures
  key K          types it
  signal NAME    sends it (INT, TERM, ...)
  size WxH       changes the size, and waits for a picture of it; there must be no ticks meanwhile
  stopped [NAME] waits until it has stopped, looks that the terminal is as it was, and continues it, with that signal
  do COMMAND     runs it in a shell, and waits for it
  end            waits for its end
Checks that no line was ever wider than the terminal, nor a picture higher; that at the end modes are as they were, the
alternate screen is left and the cursor shown. Prints the last picture; exits as COMMAND did (128 + N: died of signal N).
"""

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata

LIMIT = 20  # seconds for whatever is waited for
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
PICTURE = "\x1b[H"


def width_of(line):
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
    assert "\x1b" not in plain, f"a strange sequence in {line!r}"
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)


class Terminal:
    def __init__(self, options):
        self.master, self.slave = pty.openpty()
        self.output = ""
        self.resize(options.size)
        self.modes = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            # A group of its own, in the foreground, as a shell would start it: an orphaned one is never stopped.
            child = os.fork()
            if not child:
                os.setpgid(0, 0)
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
                    signal.signal(number, signal.SIG_DFL)  # whatever we were started with
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                os.tcsetpgrp(self.slave, os.getpid())
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.dup2(os.open("/dev/null", os.O_RDONLY) if options.no_input else self.slave, 0)
                os.dup2(self.slave, 1)
                os.environ["TERM"] = options.term
                os.execvp(options.command[0], options.command)
            os.write(options.report, b"%d\n" % child)
            while True:
                _, status = os.waitpid(child, os.WUNTRACED)
                if os.WIFSTOPPED(status):
                    os.write(options.report, b"stopped %d\n" % os.WSTOPSIG(status))
                else:
                    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                    os.write(options.report, b"ended %d\n" % code)
                    os._exit(0)

    def resize(self, size):
        self.width, self.height = map(int, size.split("x"))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", self.height, self.width, 0, 0))

    def pictures(self):
        return self.output.split(PICTURE)[1:]


class Run:
    def __init__(self, options):
        self.reports, options.report = os.pipe()
        self.reported = ""
        self.terminal = Terminal(options)
        os.close(options.report)
        self.wait(lambda: "\n" in self.reported, "the start")
        self.child = int(self.reported.split()[0])

    def wait(self, condition, what):
        end = time.monotonic() + LIMIT
        while not condition():
            left = end - time.monotonic()
            assert left > 0, f"waited in vain for {what}; the screen: {self.terminal.output[-2000:]!r}"
            ready, _, _ = select.select([self.terminal.master, self.reports], [], [], left)
            if self.reports in ready:
                self.reported += os.read(self.reports, 4096).decode()
            if self.terminal.master in ready:
                self.terminal.output += os.read(self.terminal.master, 65536).decode(errors="surrogateescape")

    def drain(self):
        while select.select([self.terminal.master], [], [], 0)[0]:
            self.terminal.output += os.read(self.terminal.master, 65536).decode(errors="surrogateescape")

    def check_pictures(self):
        for picture in self.terminal.pictures()[:-1]:
            self.check(picture)

    def check(self, picture):
        lines = picture.split(LEAVE)[0].split("\r\n")
        assert len(lines) <= self.terminal.height, f"{len(lines)} lines, of {self.terminal.height}"
        for line in lines:
            assert width_of(line) <= self.terminal.width, f"{width_of(line)} of {self.terminal.width} columns: {line!r}"

    def check_left(self):
        self.drain()
        assert termios.tcgetattr(self.terminal.slave) == self.terminal.modes, "the modes are not as they were"
        output = self.terminal.output
        if ENTER in output:
            assert output.rfind(LEAVE) > output.rfind(ENTER), "the alternate screen was not left"
            assert output.rfind("\x1b[?25h") > output.rfind("\x1b[?25l"), "the cursor is not shown"
            assert output.rfind("\x1b[?7h") > output.rfind("\x1b[?7l"), "lines do not wrap"

    def stopped(self, number):
        self.wait(lambda: "stopped" in self.reported, "the stop")
        assert f"stopped {signal.SIGTSTP:d}" in self.reported, self.reported
        self.check_left()
        self.reported = ""
        if number:
            os.kill(self.child, number)
        os.kill(self.child, signal.SIGCONT)

    def ended(self):
        self.wait(lambda: "ended" in self.reported, "the end")
        self.check_left()
        return int(self.reported.split("ended ")[1])

    def step(self, word, argument):
        terminal = self.terminal
        if word == "see":
            self.wait(lambda: argument in (terminal.pictures() or [""])[-1], argument)
        elif word == "frames":
            wanted = len(terminal.pictures()) + int(argument) + 1
            self.wait(lambda: len(terminal.pictures()) >= wanted, f"{argument} pictures")
            self.check_pictures()
        elif word == "key":
            os.write(terminal.master, argument.encode())
        elif word == "signal":
            os.kill(self.child, getattr(signal, "SIG" + argument))
        elif word == "size":
            self.check_pictures()
            terminal.resize(argument)
            before = len(terminal.pictures())
            self.wait(lambda: len(terminal.pictures()) > before, "a picture of the new size")
            terminal.output = PICTURE.join([ENTER, *terminal.pictures()[before:]])
        elif word == "do":
            subprocess.run(argument, shell=True, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        elif word == "stopped":
            self.stopped(getattr(signal, "SIG" + argument) if argument else 0)
        else:
            assert word == "end", f"no such step: {word}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--term", default="xterm")
    parser.add_argument("--no-input", action="store_true")
    parser.add_argument("script")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    run = Run(options)
    try:
        for step in options.script.split(";"):
            word, _, argument = step.strip().partition(" ")
            run.step(word, argument)
        status = run.ended()
    except BaseException:
        if "ended" not in run.reported:
            os.kill(run.child, signal.SIGKILL)
        raise
    pictures = run.terminal.pictures()
    for picture in pictures:
        run.check(picture)
    last = pictures[-1].split(LEAVE)[0] if pictures else ""
    after = run.terminal.output.rpartition(LEAVE)[2]
    print(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last).replace("\r\n", "\n").strip("\n"))
    print("after:", repr(after))
    sys.exit(status)


if __name__ == "__main__":
    main()
