#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/cli/differential.py with an interface of the kernel: wg and wgctl side by side in the guest.

Usage: compare.py SOCKET SUITE...; each SUITE as there. A process costs much in the guest, and a request some of them: so many
cases go there in one script, and the interface is made new only after a case that changed it."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
os.environ.setdefault("WGENGINE", "kernel")
import differential  # noqa: E402

IF = differential.IF
BATCH = 40  # cases of one script
PATIENCE = 60  # seconds for it
MARK = b"--- differential ---"

# One case: one PROGRAM INPUT WORDS... prints what the program printed, its status, its errors, and the state it left, a
# mark behind each. `check` compares what the programs show of a state that is new.
PROLOGUE = r"""
export WG_ENDPOINT_RESOLUTION_RETRIES=0 WG_COLOR_MODE=never
mark='%(mark)s'
cd %(folder)s
reset() {
	[ "$state" = "$base" ] || wg setconf %(interface)s base.conf
}
one() {
	local program=$1 input=$2 status=0
	shift 2
	reset
	$program "$@" <$input 2>errors || status=$?
	echo "$mark$status$mark"
	[ ! -s errors ] || cat errors
	state=$(wg show %(interface)s dump)
	echo "$mark$state$mark"
}
check() {
	case $seen in *"$state"*) echo "$mark"; return ;; esac
	seen="$seen $state"
	[ "$(wgctl show %(interface)s dump)" = "$state" ] || echo 'show dump differs'
	[ "$(wg showconf %(interface)s)" = "$(wgctl showconf %(interface)s)" ] || echo 'showconf differs'
	echo "$mark"
}
base=$(cat base.dump)
seen=$base
state=
"""


def write(path, content):
    """A command of the shell that writes a file."""
    octal = re.sub(rb"[^A-Za-z0-9 =./:,#\[\]]", lambda m: b"\\%03o" % m[0][0], content).decode()
    return f"printf '{octal}' >{shlex.quote(str(path))}"


class Guest(differential.World):
    """The programs in the guest. Files have the same names in the folder there."""

    def __init__(self, folder, socket):
        super().__init__(folder, "kernel")
        self.socket = socket

    def script(self, text):
        """Runs it in the guest: what it prints."""
        done = subprocess.run([HERE / "guest.py", self.socket, str(PATIENCE)], input=text, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit("Bail out! status %d\n%s" % (done.returncode, done.stdout.decode(errors="replace")))
        return done.stdout

    def start(self):
        files = [path for path in self.folder.iterdir() if path.is_file()]
        lines = [f"mkdir -p {self.folder}", f"cd {self.folder}", f"ln -s /programs/wgctl {self.as_wg}",
                 *(write(path, path.read_bytes()) for path in files),
                 f"echo {differential.RANDOM_PORTS} >/proc/sys/net/ipv4/ip_local_port_range",
                 "echo 127.0.0.1 localhost >/etc/hosts", "echo domain 53/udp >/etc/services",
                 f"ip link add {IF} type wireguard", f"ip link set {IF} up", f"wg setconf {IF} base.conf",
                 f"wg show {IF} dump >base.dump", "cat base.dump"]
        self.before = differential.State(self.script("\n".join(lines).encode()))

    def stop(self):
        self.script(f"ip link del {IF}; rm -r {self.folder}".encode())

    def command(self, program, words, given):
        path = "/dev/null"
        lines = []
        if given:
            path = self.folder / "given"
            lines.append(write(path, given))
        quoted = [shlex.quote(os.fsdecode(word)) for word in words]
        return [*lines, f"one {program} {path} {' '.join(quoted)}"]

    def outcomes(self, cases):
        """Runs (name, files, words, given, program, keeps): for each of them ((result, state) of wg, the same of wgctl,
        [complaint])."""
        lines = [PROLOGUE % {"mark": MARK.decode(), "folder": self.folder, "interface": IF}]
        for _, files, words, given, program, _ in cases:
            lines += [write(path, content) for path, content in files]
            lines += self.command("wg", words, given) + self.command(program, words, given) + ["check"]
        lines.append("reset")
        said = iter(self.script(os.fsencode("\n".join(lines))).split(MARK))
        for _ in cases:
            yield self.outcome(said), self.outcome(said), next(said).decode().strip().splitlines()

    @staticmethod
    def outcome(said):
        """What `one` printed, behind the end of the line before it."""
        output, status, errors, state = (next(said) for _ in range(4))
        return subprocess.CompletedProcess([], int(status), output.removeprefix(b"\n"), errors), differential.State(state)


class Tester(differential.Tester):
    """Gathers cases, and runs them by the batch."""

    def __init__(self, world):
        super().__init__(world)
        self.cases = []

    def case(self, name, words, given=b"", program="wgctl", keeps=()):
        files = [(path, path.read_bytes()) for path in self.world.folder.glob("case.*") if str(path) in words]
        self.cases.append((name, files, words, given, program, keeps))
        if len(self.cases) == BATCH:
            self.finish()

    def finish(self):
        cases, self.cases = self.cases, []
        if not cases:
            return
        for (name, *_, keeps), (theirs, ours, complaints) in zip(cases, self.world.outcomes(cases)):
            self.judge(name, *self.world.weigh(theirs, ours, keeps, complaints))


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = Guest(pathlib.Path(folder), sys.argv[1])
        world.start()
        try:
            return Tester(world).run(sys.argv[2:])
        finally:
            world.stop()


if __name__ == "__main__":
    sys.exit(main())
