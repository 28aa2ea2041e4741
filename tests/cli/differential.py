#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets Debian's wg and wgctl do the same things to the same interface, and compares what comes of it: the exit status,
standard output, and the configuration afterwards.

Usage: differential.py SUITE... (files, kept, set, keys, other; files/3 for every third of them), as root; WG, WGCTL and
WGENGINE are the programs, and WGENGINE may be wireguard-go. The cases are in corpus/, the differences that are meant to be
in differential.md: any other is a failure, and so is one that is listed and is none. Prints TAP; runs in network and
mount namespaces of its own."""

import base64
import fnmatch
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WG = os.environ.get("WG", "wg")
WGCTL = os.environ["WGCTL"]
WGENGINE = os.environ["WGENGINE"]
IF = "d0"
CHANGED = "fails, and has changed something"
SUITES = ["files", "kept", "set", "keys", "other"]
PATIENCE = 30  # seconds for one command
RANDOM_PORTS = "60000 60999"
ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|[nrtvf\\])")
PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"f": b"\f", b"\\": b"\\"}


def key(number, clamp=False):
    raw = bytearray((number * 37 + i * 11) % 256 for i in range(32))
    if clamp:
        raw[0] &= 248
        raw[31] = raw[31] & 127 | 64
    return base64.b64encode(raw).decode()


def public(private):
    return subprocess.run([WG, "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()


def new_macros(folder):
    """The words in braces of the corpus; secrets first."""
    secrets = {"K": key(1, clamp=True), "L": key(2, clamp=True), "P": key(3)}
    macros = dict(secrets, **{letter: key(ord(letter)) for letter in "ABCD"})
    # Pieces of a key: {K6}{K38} is {K}, and {K42} its first 42 characters.
    first = secrets["K"]
    macros.update({"K6": first[:6], "K38": first[6:], "K37": first[7:], "K36": first[8:], "K42": first[:42], "K43": first[:43]})
    macros["K.pub"] = public(first)
    macros["IF"] = IF
    for name, content in (("key", first + "\n"), ("psk", secrets["P"] + "\n"), ("empty", ""),
                          ("file", f"[Interface]\nListenPort = 51820\n[Peer]\nPublicKey = {macros['C']}\n")):
        path = folder / name
        path.write_text(content)
        macros[name] = str(path)
    return macros, list(secrets.values())


def expand(text, macros):
    """Macros, then escapes: bytes."""
    text = re.sub(r"\{([A-Za-z0-9.]+)\}", lambda m: macros[m[1]], text)
    unescape = lambda m: PLAIN.get(m[1]) or bytes([int(m[1][1:], 16)])
    return ESCAPE.sub(unescape, text.encode().replace(b"\\\n", b""))


def read_sections(name):
    """The cases of a file of `== name` sections: [(name, text)]."""
    cases = []
    for part in re.split(r"^== ", (HERE / "corpus" / name).read_text(), flags=re.M)[1:]:
        title, _, text = part.partition("\n")
        cases.append((title, text))
    return cases


def read_lines(name, macros):
    """The cases of a file of `name: words` lines: [(name, words)]."""
    cases = []
    for line in (HERE / "corpus" / name).read_text().splitlines():
        title, colon, words = line.partition(":")
        if colon and re.fullmatch(r"[A-Za-z0-9-]+", title):
            cases.append((title, [expand(word, macros) for word in shlex.split(words)]))
    return cases


SETTINGS = {"PrivateKey", "ListenPort", "FwMark"}


def named(text):
    """The settings of the interface that a file names."""
    lines = [re.sub(rb"\s", b"", line.split(b"#")[0]).lower() for line in text.split(b"\n")]
    keys = {line.split(b"=")[0].decode(errors="replace") for line in lines}
    return {name for name in SETTINGS if name.lower() in keys}


class State:
    """A configuration, as wg dumps it, with one word for every port that the system chose, and without what comes of
    traffic. With `ordered`, the order of the peers is a part of it."""

    def __init__(self, dump, ordered=True):
        device, *peers = dump.decode().splitlines() or [""]
        values = dict(zip(("PrivateKey", "PublicKey", "ListenPort", "FwMark"), device.split("\t")))
        values.pop("PublicKey", None)
        self.interface = {name: re.sub(r"^60\d{3}$", "RANDOM", value) for name, value in values.items()
                          if value not in ("(none)", "off", "0")}
        peers = ["\t".join(words[:4] + words[7:]) for words in (line.split("\t") for line in peers)]
        self.peers = peers if ordered else sorted(peers)

    def key(self):
        return (sorted(self.interface.items()), self.peers)

    def keep(self, before, names):
        """Lets these settings be as they were before."""
        for name in names:
            self.interface.pop(name, None)
            if name in before.interface:
                self.interface[name] = before.interface[name]

    def lines(self):
        return [" = ".join(item) for item in sorted(self.interface.items())] + self.peers


class Differences:
    """The tables of differential.md: rows `| patterns | ... |`. Under a heading that speaks of the age of wg they hold
    for old ones only, so that no difference is fine too; under one that ends with an engine they hold for that one, and
    there `half` says that a failure may leave half of its changes."""

    def __init__(self, engine):
        self.rows = {}  # pattern: [must, used]
        self.halves = []  # patterns
        for part in re.split(r"(?m)^#+ ", (HERE / "differential.md").read_text()):
            heading, _, text = part.partition("\n")
            last = heading.split()[-1:]
            if last[0:1] in (["kernel"], ["wireguard-go"]) and last != [engine]:
                continue
            for row in re.findall(r"(?m)^\| `.*", text):
                patterns = re.findall(r"`([^`]+)`", row.split("|")[1])
                if last == [engine] and "half" in row.split():
                    self.halves += patterns
                for pattern in patterns:
                    self.rows.setdefault(pattern, ["age" not in heading.split(), False])

    def expected(self, case):
        """True: must differ; False: must not; None: may."""
        found = False
        for pattern, row in self.rows.items():
            if fnmatch.fnmatchcase(case, pattern):
                row[1] = True
                found = None if found is None or not row[0] else True
        return found

    def may_leave_half(self, case):
        return any(fnmatch.fnmatchcase(case, pattern) for pattern in self.halves)


class World:
    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.ordered = name != "wireguard-go"  # which lists peers in an order of its own, each time in another one
        self.macros, self.secrets = new_macros(folder)
        self.base = folder / "base.conf"
        self.base.write_text(expand((HERE / "corpus" / "base.conf").read_text(), self.macros).decode())
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("WG_")}
        self.environment["WG_ENDPOINT_RESOLUTION_RETRIES"] = "0"
        self.environment["WG_COLOR_MODE"] = "never"
        self.as_wg = folder / "wg"
        self.as_wg.symlink_to(WGCTL)
        self.seen = []
        self.engine = None
        self.before = None  # every case starts from this state

    def start(self):
        os.makedirs("/run/wireguard", exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "differential", "/run/wireguard"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(RANDOM_PORTS)
        self.engine = subprocess.Popen([WGENGINE, "-f", IF], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while subprocess.run([WG, "show", IF, "dump"], capture_output=True).returncode:
            if self.engine.poll() is not None or time.monotonic() > deadline:
                sys.exit("Bail out! the engine does not start")
            time.sleep(0.02)
        subprocess.run(["ip", "link", "set", IF, "up"], check=True)
        self.reset()
        self.before = self.state()

    def stop(self):
        if self.engine:
            self.engine.terminate()
            self.engine.wait(PATIENCE)

    def run(self, program, words, given=b""):
        return subprocess.run([program, *words], input=given, capture_output=True, timeout=PATIENCE, env=self.environment)

    def reset(self):
        subprocess.run([WG, "setconf", IF, str(self.base)], check=True, capture_output=True)

    def state(self):
        return State(self.run(WG, ["show", IF, "dump"]).stdout, self.ordered)

    def said(self, output):
        """What a program printed, for comparisons."""
        return output if self.ordered else sorted(output.splitlines())

    def check_show(self, state):
        """What wgctl prints of a state that was not seen before is what wg prints: [complaint]."""
        if state.key() in self.seen:
            return []
        self.seen.append(state.key())
        return ["%s differs" % " ".join(words) for words in (["showconf", IF], ["show", IF, "dump"], ["show", IF])
                if not self.shows_the_same(words)]

    def shows_the_same(self, words):
        """wg is asked before and after, until nothing has changed meanwhile, as a sent packet does."""
        while True:
            before, ours, after = (self.said(self.run(program, words).stdout) for program in (WG, WGCTL, WG))
            if ours == before or before == after:
                return ours == before

    def check_silence(self, result):
        """A refusal says why, and repeats no secret: [complaint]."""
        complaints = []
        if result.returncode and not result.stderr:
            complaints.append("fails without a word")
        for secret in self.secrets:
            if any(secret[i : i + 21].encode() in result.stderr for i in range(len(secret) - 21)):
                complaints.append("stderr repeats a part of a key")
        return complaints

    def compare(self, words, given=b"", program=WGCTL, keeps=()):
        """Runs both; (whether they differ, what wg did, what wgctl did, [complaint]). keeps: the settings of the
        interface that wgctl has to leave as they are, whatever wg does to them."""
        outcomes = []
        for each in (WG, program):
            self.reset()
            result = self.run(each, words, given)
            outcomes.append((result, self.state()))
        return self.weigh(*outcomes, keeps, self.check_show(outcomes[1][1]))

    def weigh(self, wg, wgctl, keeps, complaints):
        """What compare returns, of (result, state) of both."""
        (theirs, their_state), (ours, our_state) = wg, wgctl
        complaints += self.check_silence(ours)
        if ours.returncode and our_state.key() != self.before.key():
            complaints.append(CHANGED)
        if not theirs.returncode:
            their_state.keep(self.before, keeps)
        differ = (theirs.returncode, self.said(theirs.stdout), their_state.key()) != \
            (ours.returncode, self.said(ours.stdout), our_state.key())
        return differ, wg, wgctl, complaints


class Tester:
    def __init__(self, world):
        self.world = world
        self.differences = Differences(world.name)
        self.every = 1  # of so many cases one is run
        self.number = 0
        self.failed = 0

    def tell(self, good, name, lines=()):
        self.number += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.number, name))
        for line in lines if not good else ():
            print("# " + line)

    def case(self, name, words, given=b"", **more):
        self.judge(name, *self.world.compare(words, given, **more))

    def judge(self, name, differ, theirs, ours, complaints):
        expected = self.differences.expected(name)
        if self.differences.may_leave_half(name):
            complaints = [each for each in complaints if each != CHANGED]
        good = not complaints and (expected is None or differ == expected)
        lines = list(complaints)
        if differ != expected:
            lines.append("they differ" if differ else "listed as different, but they do the same")
            for who, (result, state) in (("wg", theirs), ("wgctl", ours)):
                lines += [f"{who}: status {result.returncode}", *result.stderr.decode(errors="replace").splitlines(),
                          *result.stdout.decode(errors="replace").splitlines(), *state.lines()]
        self.tell(good, name, lines)

    def files(self):
        path = self.world.folder / "case.conf"
        for corpus in ("files-grammar.txt", "files-values.txt"):
            for name, text in read_sections(corpus)[:: self.every]:
                path.write_bytes(expand(text, self.world.macros))
                for command in ("setconf", "addconf"):
                    self.case(f"{command}/{name}", [command, IF, str(path)])
                keeps = SETTINGS - named(path.read_bytes())
                self.case(f"syncconf/{name}", ["syncconf", IF, str(path)], keeps=keeps)

    def kept(self):
        path = self.world.folder / "case.conf"
        for name, text in read_sections("files-kept.txt")[:: self.every]:
            path.write_bytes(expand(text, self.world.macros))
            self.case(f"kept/{name}", ["syncconf", IF, str(path)])

    def set(self):
        for name, words in read_lines("words-set.txt", self.world.macros)[:: self.every]:
            self.case(f"set/{name}", ["set", *words])

    def keys(self):
        path = self.world.folder / "case.key"
        for name, text in read_sections("keys.txt")[:: self.every]:
            content = expand(text, self.world.macros)
            path.write_bytes(content)
            self.case(f"pubkey/{name}", ["pubkey"], content)
            self.case(f"private-key/{name}", ["set", IF, "private-key", str(path)])
            self.case(f"private-key-from-a-pipe/{name}", ["set", IF, "private-key", "/dev/stdin"], content)
            self.case(f"preshared-key/{name}", ["set", IF, "peer", self.world.macros["A"], "preshared-key", str(path)])

    def other(self):
        for name, words in read_lines("words-other.txt", self.world.macros)[:: self.every]:
            self.case(f"other/{name}", words)
            self.case(f"wg/{name}", words, program=str(self.world.as_wg))

    def run(self, suites):
        """The exit status. With all suites run, each row of the tables must be about something."""
        for suite in suites:
            name, _, every = suite.partition("/")
            self.every = int(every or 1)
            getattr(self, name)()
        self.finish()
        if suites == SUITES:
            for pattern, (_, used) in self.differences.rows.items():
                if not used:
                    self.tell(False, f"{pattern} of differential.md is about no case")
        print("1..%d" % self.number)
        return 1 if self.failed or not self.number else 0

    def finish(self):
        pass


def main():
    if os.environ.get("DIFFERENTIAL_INSIDE") != "1":
        os.environ["DIFFERENTIAL_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, __file__, *sys.argv[1:]])
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(folder), os.path.basename(WGENGINE))
        try:
            world.start()
            return Tester(world).run(sys.argv[1:] or SUITES)
        finally:
            world.stop()


if __name__ == "__main__":
    sys.exit(main())
