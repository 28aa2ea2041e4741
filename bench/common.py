# SPDX-License-Identifier: MIT
"""What tunnel, scale and flood share: which engines there are, namespaces of our own, engines in them, and
tables. Everything that is started here runs in those namespaces, and only that is ended."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOCKETS = "/var/run/wireguard"
TICK = os.sysconf("SC_CLK_TCK")
START_SECONDS = 20
PEERS = ("wireguard-go", "boringtun-cli", "gotatun")


class Failure(Exception):
    """Something that was run did not work."""


def need(*programs):
    """Ends the program unless we are root and have these."""
    missing = [program for program in ("ip", "wg", *programs) if not shutil.which(program)]
    if os.geteuid() != 0:
        sys.exit(f"{sys.argv[0]}: needs root, for network namespaces")
    if missing:
        sys.exit(f"{sys.argv[0]}: not found: {' '.join(missing)}")
    # A signal ends us as an error does: through what cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def add_options(parser):
    """The options that all have."""
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers-dir", default=os.path.join(TOP, "build", "peers"), metavar="DIRECTORY",
                        help="where other engines are, besides PATH (default: %(default)s)")
    parser.add_argument("engine", nargs="*", metavar="NAME=COMMAND",
                        help="called as COMMAND IFNAME; default: wgengine (from $WGENGINE, else build/wgengine) "
                             "and those of " + ", ".join(PEERS) + " that are found")


def engines(options):
    """Pairs of a name and a command's words; the first is what the others are compared with."""
    path = os.pathsep.join((options.peers_dir, os.environ.get("PATH", os.defpath)))
    chosen = []
    for text in options.engine:
        name, equals, command = text.partition("=")
        if not equals or not command.split():
            sys.exit(f"{sys.argv[0]}: not of the form NAME=COMMAND: {text}")
        chosen.append((name, command.split()))
    if chosen:
        return chosen
    ours = os.environ.get("WGENGINE") or os.path.join(TOP, "build", "wgengine")
    if not os.access(ours, os.X_OK):
        sys.exit(f"{sys.argv[0]}: there is no {ours}: build it, or set WGENGINE")
    found = [(name, shutil.which(name, path=path)) for name in PEERS]
    return [("wgengine", [ours])] + [(name, [command]) for name, command in found if command]


def run(words, text=None, timeout=30):
    """What the command prints."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


class Namespace:
    """A network namespace of our own. What runs in it was started by us."""

    def __init__(self, name):
        self.name = name
        run(["ip", "netns", "add", name])
        run(["ip", "-n", name, "link", "set", "lo", "up"])

    def words(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words, **options):
        return run(self.words(*words), **options)

    def ip(self, *words):
        return run(["ip", "-n", self.name, *words])

    def pids(self):
        return {int(pid) for pid in run(["ip", "netns", "pids", self.name]).split()}

    def delete(self):
        end(self.pids)
        run(["ip", "netns", "del", self.name])


def end(pids, seconds=5):
    """Ends all that pids() tells of, gently at first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + seconds
        while pids() and time.monotonic() < deadline:
            time.sleep(0.05)


class Engine:
    """One engine with one interface, in a namespace that has no other."""

    def __init__(self, namespace, command, ifname):
        self.namespace, self.ifname = namespace, ifname
        self.pids = set()
        before = namespace.pids()
        try:
            self.start(command)
        except (OSError, subprocess.SubprocessError) as error:
            raise Failure(str(error)) from error
        finally:
            self.pids = namespace.pids() - before
            if not self.ready():
                self.stop()

    def start(self, command):
        environment = dict(os.environ, LOG_LEVEL="error", WG_SUDO="true", WG_LOG_FILE=os.devnull)
        subprocess.run(self.namespace.words(*command, self.ifname), env=environment, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=START_SECONDS, check=True)
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if time.monotonic() > deadline:
                raise Failure(f"{command[0]}: no configuration socket")
            time.sleep(0.02)

    def ready(self):
        return os.path.exists(self.socket())

    def socket(self):
        return f"{SOCKETS}/{self.ifname}.sock"

    def wg(self, *words, **options):
        return self.namespace.run("wg", *words, **options)

    def ip(self, *words):
        return self.namespace.ip(*words)

    def cpu(self):
        """CPU seconds up to now."""
        ticks = 0
        for pid in self.pids:
            fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if fields else 0
        return ticks / TICK

    def memory(self, field):
        """MiB: of VmRSS now, of VmHWM at its greatest."""
        values = [re.search(field + r":\s+(\d+)", read(f"/proc/{pid}/status")) for pid in self.pids]
        return sum(int(value.group(1)) for value in values if value) / 1024

    def stop(self):
        end(lambda: self.pids & self.namespace.pids())
        try:
            self.ip("link", "del", self.ifname)
        except Failure:
            pass  # it went with its engine
        for file in (self.socket(), f"{SOCKETS}/{self.ifname}.clock"):
            try:
                os.unlink(file)
            except FileNotFoundError:
                pass


def read(path):
    """A file of /proc; empty when the process is gone."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def machine():
    """One line about where we are."""
    model = re.search(r"model name\s*: (.*)", read("/proc/cpuinfo"))
    return (f"{model.group(1) if model else 'unknown CPU'}, {os.cpu_count()} cores, "
            f"Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}")


def versions(options, chosen):
    """What the engines that we found say of themselves; a command that was given is not asked."""
    said = []
    for _, command in [] if options.engine else chosen:
        try:
            said.append(run([*command, "--version"], timeout=5).splitlines()[0])
        except (Failure, IndexError, OSError, subprocess.SubprocessError):
            said.append(f"{os.path.basename(command[0])} of unknown version")
    return "".join(f"; {text}" for text in said)


def take_turns(chosen, rounds, measure):
    """Calls measure(name, command) for every engine, round by round, and collects its figures."""
    figures = {name: [] for name, _ in chosen}
    for number in range(1, rounds + 1):
        for name, command in chosen:
            try:
                result = measure(name, command)
            except (Failure, OSError, subprocess.SubprocessError) as error:
                print(f"round {number}, {name}: failed: {error}", file=sys.stderr)
                continue
            figures[name].append(result)
            line = ", ".join(f"{key} {value:.2f}" for key, value in result.items())
            print(f"round {number}, {name}: {line}", file=sys.stderr)
    return figures


def print_table(figures):
    """Medians over the rounds, and their ratios to those of the first engine."""
    medians = {}
    keys = []
    for name, rounds in figures.items():
        keys = list(dict.fromkeys(keys + [key for result in rounds for key in result]))
        medians[name] = {key: statistics.median(r[key] for r in rounds if key in r)
                         for key in keys if any(key in r for r in rounds)}
    print("| | " + " | ".join(figures) + " |")
    print("|---|" + "---:|" * len(figures))
    for key in keys:
        base = next(iter(medians.values())).get(key)
        cells = []
        for name in figures:
            value = medians[name].get(key)
            ratio = f" (x{value / base:.2f})" if value is not None and base else ""
            cells.append("-" if value is None else f"{value:.2f}{ratio}")
        print(f"| {key} | " + " | ".join(cells) + " |")
    print()
    return all(figures.values())
