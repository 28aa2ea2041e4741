# SPDX-License-Identifier: MIT
"""An engine under test, in a network namespace that this process makes for itself, with its control socket and the inner
side of its tunnel. Whatever is started here ends with the test, and with this process at the latest.

WGENGINE  the program; another engine of the same contract will do, with
WGENGINE_DROPS=no  for one that does not report drop_REASON counters: it gets a moment to drop what it should drop.
"""
import atexit
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SO_RCVBUFFORCE = 33
ROOM = 4 << 20  # of sockets, so that bursts fit
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD
# Of whatever has to happen at once, in seconds; generous, since it only passes where a test fails.
TIMEOUT = float(os.environ.get("CONFORMANCE_TIMEOUT", "5"))
SETTLE = 0.15  # for engines without counters
SOCKETS = pathlib.Path("/var/run/wireguard")

libc = ctypes.CDLL(None, use_errno=True)
program = os.environ.get("WGENGINE") or str(pathlib.Path(__file__).resolve().parents[2] / "build" / "wgengine")
counts_drops = os.environ.get("WGENGINE_DROPS") != "no"


def why_not():
    """Why no engine can run here, or None."""
    if not shutil.which("ip"):
        return "needs ip (iproute2)"
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    return None


def ip(*words):
    done = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stdout.strip()}")


def enter_namespace():
    """This process (and its threads and children from now on) sees only a network of its own, which ends with it."""
    if libc.unshare(CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, f"unshare: {os.strerror(error)}")
    ip("link", "set", "lo", "up")


def wait_until(condition, what, timeout=TIMEOUT):
    """The first true value of condition()."""
    end = time.monotonic() + timeout
    pause = 0.0005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 2, 0.02)


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, payload=b"", total=None, first=0x45):
    """A packet of an experimental protocol: no kernel answers it. total, first: what the header claims."""
    total = 20 + len(payload) if total is None else total
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    header = struct.pack(">BBHHHBBH", first, 0, total, 1, 0, 64, 253, 0)
    return header[:10] + struct.pack(">H", checksum(header + addresses)) + addresses + payload


def ipv6(source, target, payload=b"", length=None, first=0x60):
    length = len(payload) if length is None else length
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    return struct.pack(">B3xHBB", first, length, 253, 64) + addresses + payload


class State(dict):
    """What the engine reports: the keys of the device, and .peers by public key. A repeated key makes a list."""

    def __init__(self, text):
        super().__init__()
        self.peers = {}
        section = self
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key == "public_key":
                section = self.peers[bytes.fromhex(value)] = {}
            elif key == "allowed_ip":
                section.setdefault(key, []).append(value)
            else:
                section[key] = value

    def drops(self, public=None):
        section = self if public is None else self.peers.get(public, {})
        return {key[5:]: int(value) for key, value in section.items() if key.startswith("drop_")}


def is_error(packet):
    """Destination unreachable, ICMP or ICMPv6?"""
    if packet[0] >> 4 == 4:
        return len(packet) > 20 and packet[9] == 1 and packet[20] == 3
    return len(packet) > 40 and packet[6] == 58 and packet[40] == 1


class Engine:
    _number = 0
    _running = set()

    def __init__(self, key, environment=None):
        Engine._number += 1
        self.name = f"wgct{os.getpid()}n{Engine._number}"
        self.key = key
        self.environment = environment or {}
        self.port = 20000 + Engine._number
        self.process = None
        self.inner = None
        self._errors = None

    def start(self, prepare=None):
        try:
            self.launch(prepare)
            self.set(f"private_key={self.key.private.hex()}", f"listen_port={self.port}")
            self.up()
            self.inner = self._inner_socket()
        except BaseException:
            self.stop()
            raise

    def launch(self, prepare=None):
        """The process alone: it has nothing yet, and is down. prepare: called in what becomes the engine."""
        def become():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if prepare:
                prepare()

        self._errors = tempfile.TemporaryFile()
        # What it gave up at its start is of no interest here.
        environment = os.environ | {"LOG_LEVEL": "error"} | self.environment
        self.process = subprocess.Popen(
            [program, "-f", self.name], stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors,
            env=environment, preexec_fn=become)
        Engine._running.add(self)
        wait_until(self._accepts, "the control socket accepts")

    def _inner_socket(self):
        inner = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        inner.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        inner.bind((self.name, ETH_P_ALL))
        return inner

    def stop(self):
        """Ends it, and returns (its exit status, all that it said)."""
        if self.inner:
            self.inner.close()
            self.inner = None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        Engine._running.discard(self)
        for kind in ("sock", "clock"):  # of one that was killed; what an engine keeps over restarts
            (SOCKETS / f"{self.name}.{kind}").unlink(missing_ok=True)
        said = self.said()
        self._errors.close()
        return self.process.returncode, said

    @classmethod
    def stop_all(cls):
        for engine in list(cls._running):
            engine.stop()

    def said(self):
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def alive(self):
        return self.process.poll() is None

    # the control socket

    def _connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(TIMEOUT)
        try:
            client.connect(str(SOCKETS / f"{self.name}.sock"))
        except OSError:
            client.close()
            raise
        return client

    def _accepts(self):
        if not self.alive():
            raise AssertionError(f"{program} ended: {self.said()}")
        try:
            self._connect().close()
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def _ask(self, text):
        with self._connect() as client:
            client.sendall(text.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n\n"):
                part = client.recv(65536)
                if not part:
                    raise AssertionError(f"the control socket closed after {answer!r}")
                answer += part
        *lines, last = answer.decode().strip().splitlines()
        return "\n".join(lines), last

    def set(self, *lines):
        _, status = self._ask("".join(f"{line}\n" for line in ("set=1", *lines)))
        if status != "errno=0":
            raise AssertionError(f"set {lines}: {status}")

    def get(self):
        text, status = self._ask("get=1\n")
        if status != "errno=0":
            raise AssertionError(f"get: {status}")
        return State(text)

    # its life

    def up(self):
        before = self.get().drops().get("malformed", 0)
        ip("link", "set", self.name, "mtu", "1420", "up")
        if self.inner:
            self.inner.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # says once that the interface was down
        wait_until(self.listens, "the UDP port is open")
        if counts_drops:
            wait_until(lambda: self.get().drops().get("malformed", 0) == before + 2, "the engine saw the two probes")

    def down(self):
        ip("link", "set", self.name, "down")
        wait_until(lambda: not self.listens(), "the UDP port is closed")

    def listens(self, family=socket.AF_INET):
        """Over the loopback a closed port refuses before the second datagram."""
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(self.address(family))
            try:
                probe.send(b"?")
                probe.send(b"?")
                return True
            except ConnectionRefusedError:
                return False

    @contextlib.contextmanager
    def stopped(self):
        """What arrives meanwhile, it finds all at once."""
        self.process.send_signal(signal.SIGSTOP)
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat")
        wait_until(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", "the engine is stopped")
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    # its two sides

    def address(self, family=socket.AF_INET):
        return ("::1" if family == socket.AF_INET6 else "127.0.0.1", self.port)

    def inner_send(self, packet):
        """As if a program on this host had sent the packet through the interface."""
        protocol = ETH_P_IPV6 if packet[0] >> 4 == 6 else ETH_P_IP
        self.inner.sendto(packet, (self.name, protocol))

    def inner_receive(self, timeout=TIMEOUT, error=False):
        """The next packet that the engine delivers from a peer; error: the next that it answers for one that it cannot send."""
        end = time.monotonic() + timeout
        while True:
            self.inner.settimeout(max(end - time.monotonic(), 0.0001))
            try:
                packet, address = self.inner.recvfrom(65536)
            except (TimeoutError, socket.timeout, BlockingIOError):
                raise AssertionError(f"no packet came out of the tunnel within {timeout} s") from None
            if address[2] != socket.PACKET_OUTGOING and is_error(packet) == error:
                return packet

    def inner_waiting(self):
        """What it delivered and nobody received yet."""
        if not counts_drops:
            time.sleep(SETTLE)
        packets = []
        self.inner.settimeout(0)
        while True:
            try:
                packet, address = self.inner.recvfrom(65536)
            except (BlockingIOError, InterruptedError):
                return packets
            if address[2] != socket.PACKET_OUTGOING and not is_error(packet):
                packets.append(packet)


atexit.register(Engine.stop_all)
