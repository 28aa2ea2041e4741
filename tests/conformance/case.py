# SPDX-License-Identifier: MIT
"""What the tests stand on: a test case that owns an engine, and a remote, which is one peer of it on one UDP socket."""
import contextlib
import itertools
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import wireguard
from engine import ROOM, SETTLE, SO_RCVBUFFORCE, TIMEOUT, Engine, counts_drops, ipv4, ipv6, wait_until
from wireguard import Initiator, Key, Responder

# Drops that the host's own traffic into the interface may cause at any time (multicast of IPv6).
NOISE = {"no_peer", "no_endpoint", "not_ip"}
UDP_SEGMENT = 103
STABLE = 0.01
# At least this between two initiations of one peer that shall both be accepted (the protocol allows 50 a second).
INITIATION_INTERVAL = 0.025
# More than an eighth of the queue of handshakes, which is when an engine is under load, and no more than its socket holds.
FLOOD = 1500 if counts_drops else 200


class Remote:
    """A peer of the engine. Its inner addresses are unique; its outer one is a loopback address."""

    _number = itertools.count(1)

    def __init__(self, engine, psk=False, known=True, endpoint=False, family=socket.AF_INET, host=None, keepalive=None,
                 key=None):
        number = next(Remote._number)
        self.engine = engine
        self.key = key or Key()
        self.psk = os.urandom(32) if psk else wireguard.NO_PSK
        self.family = family
        self.sockets = []
        self.socket = self.new_socket(family, host)
        self.inner4 = f"10.7.{number // 250}.{number % 250 + 1}"
        self.inner6 = f"fd07::{number:x}"
        self.clock = time.time_ns()
        self.next_initiation = 0.0
        if known:
            self.introduce(endpoint, keepalive)

    # life

    def introduce(self, endpoint=False, keepalive=None):
        lines = [f"public_key={self.key.public.hex()}", "replace_allowed_ips=true"]
        if self.psk != wireguard.NO_PSK:
            lines.append(f"preshared_key={self.psk.hex()}")
        if endpoint:
            lines.append(f"endpoint={self.endpoint()}")
        if keepalive is not None:
            lines.append(f"persistent_keepalive_interval={keepalive}")
        self.engine.set(*lines, f"allowed_ip={self.inner4}/32", f"allowed_ip={self.inner6}/128")

    def change(self, *lines):
        self.engine.set(f"public_key={self.key.public.hex()}", "update_only=true", *lines)

    def remove(self):
        self.engine.set(f"public_key={self.key.public.hex()}", "remove=true")

    def close(self):
        if self.engine.alive():
            self.remove()
        for one in self.sockets:
            one.close()

    def state(self):
        """As the engine reports it, without its drops."""
        section = self.engine.get().peers.get(self.key.public, {})
        return {key: value for key, value in section.items() if not key.startswith("drop_")}

    def settled(self):
        """The state, when what was sent last is counted: engines count after they have sent."""
        state, since = self.state(), time.monotonic()

        def same():
            nonlocal state, since
            now = self.state()
            if now != state:
                state, since = now, time.monotonic()
            return time.monotonic() - since > STABLE

        wait_until(same, "the state settles")
        return state

    # UDP

    def new_socket(self, family=socket.AF_INET, host=None):
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        one.bind((host or ("::1" if family == socket.AF_INET6 else "127.0.0.1"), 0))
        self.sockets.append(one)
        return one

    def endpoint(self, one=None):
        host, port = (one or self.socket).getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def send(self, datagram, one=None, to=None):
        one = one or self.socket
        one.sendto(datagram, to or self.engine.address(one.family))

    def send_train(self, datagrams, one=None):
        """Datagrams of one length, except that the last may be shorter, in one call; the engine may get them as one."""
        size = len(datagrams[0])
        assert all(len(datagram) == size for datagram in datagrams[:-1]) and len(datagrams[-1]) <= size
        one = one or self.socket
        option = (socket.SOL_UDP, UDP_SEGMENT, struct.pack("H", size))
        one.sendmsg([b"".join(datagrams)], [option], 0, self.engine.address(one.family))

    def receive(self, timeout=TIMEOUT, one=None, source=None):
        one = one or self.socket
        one.settimeout(timeout)
        try:
            datagram, address = one.recvfrom(65536)
        except (TimeoutError, socket.timeout):
            raise AssertionError(f"no datagram from the engine within {timeout} s") from None
        expected = source or self.engine.address(one.family)
        if address[:2] != expected:
            raise AssertionError(f"a datagram from {address}, not from {expected}")
        if datagram[:1] == bytes([wireguard.RESPONSE]):  # our initiation was taken just now
            self.next_initiation = time.monotonic() + INITIATION_INTERVAL
        return datagram

    def waiting(self, one=None):
        """The datagrams that have come and that nobody received yet."""
        one = one or self.socket
        one.settimeout(0)
        datagrams = []
        with contextlib.suppress(BlockingIOError):
            while True:
                datagrams.append(one.recv(65536))
        return datagrams

    # handshakes

    def stamp(self):
        """A time stamp newer than all before; the engine would refuse two within 20 ms, so their sender waits."""
        now = time.monotonic()
        if now < self.next_initiation:
            time.sleep(self.next_initiation - now)
        self.next_initiation = time.monotonic() + INITIATION_INTERVAL
        self.clock = max(self.clock + 1, time.time_ns())
        return wireguard.tai64n(self.clock)

    def initiator(self, **how):
        how.setdefault("psk", self.psk)
        return Initiator(self.key, self.engine.key.public, **how)

    def initiate(self, one=None, cookie=None, **how):
        """A session that we began. The engine will not send in it before it has received something."""
        initiator = self.initiator(**how)
        self.send(initiator.initiation(self.stamp(), cookie), one)
        return initiator.finish(self.receive(one=one))

    def handshake(self, **how):
        """A session that we began and confirmed."""
        session = self.initiate(**how)
        with self.confirmed():
            self.send(session.seal(), how.get("one"))
        return session

    def last_handshake(self):
        state = self.state()
        return int(state["last_handshake_time_sec"]), int(state["last_handshake_time_nsec"])

    @contextlib.contextmanager
    def confirmed(self):
        """Within, the engine completes a handshake."""
        before = self.last_handshake()
        yield
        wait_until(lambda: self.last_handshake() > before, "the engine has completed the handshake")

    def provoke(self, payload=b"staged"):
        """The initiation that the engine sends, since a program sends a packet to us; and that packet."""
        packet = self.packet_in(payload)
        self.engine.inner_send(packet)
        return self.receive(), packet

    def responder(self, initiation, **how):
        how.setdefault("psk", self.psk)
        return Responder(self.key, initiation, **how)

    def engine_handshake(self):
        """A session that the engine began."""
        initiation, packet = self.provoke()
        responder = self.responder(initiation)
        self.send(responder.response())
        _, plain = responder.session.open(self.receive())
        if plain[:len(packet)] != packet:
            raise AssertionError("the first packet is not the one that waited")
        return responder.session

    @contextlib.contextmanager
    def taken(self):
        """Within, something authentic of ours arrives."""
        before = int(self.state()["rx_bytes"])
        yield
        wait_until(lambda: int(self.state()["rx_bytes"]) > before, "the engine has taken our packet")

    # packets

    def packet_out(self, payload=b"out", **how):
        """What we send to the host behind the engine."""
        return ipv4(self.inner4, "10.7.255.254", payload, **how)

    def packet_out6(self, payload=b"out", **how):
        return ipv6(self.inner6, "fd07::ffff:ffff", payload, **how)

    def packet_in(self, payload=b"in"):
        """What the host behind the engine sends to us."""
        return ipv4("10.7.255.254", self.inner4, payload)


class EngineCase(unittest.TestCase):
    """One engine for all tests of a class; every test makes its own remotes."""

    engine = None
    environment = None  # more of it for the engine

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(Key(), cls.environment)
        cls.engine.start()

    @classmethod
    def tearDownClass(cls):
        status, said = cls.engine.stop()
        if status:
            raise AssertionError(f"the engine ended with {status}: {said}")
        if said and counts_drops:
            raise AssertionError(f"the engine said, where it should be silent: {said}")

    def setUp(self):
        self.assertTrue(self.engine.alive(), "the engine has ended")
        self.engine.inner_waiting()

    def remote(self, **how):
        remote = Remote(self.engine, **how)
        self.addCleanup(remote.close)
        return remote

    def calm_session(self, remote):
        """Under load an engine stays for a while."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            initiator = remote.initiator()
            remote.send(initiator.initiation(remote.stamp()))
            answer = remote.receive()
            if wireguard.kind(answer) == wireguard.RESPONSE:
                return initiator.finish(answer)
            self.assertEqual(wireguard.COOKIE_REPLY, wireguard.kind(answer))
        self.fail("under load for ever")

    @contextlib.contextmanager
    def drops(self, unchanged=(), **reasons):
        """The engine drops just what is given, and nothing that it reports of the remotes in unchanged changes."""
        states = {remote: remote.settled() for remote in unchanged}
        before = self.engine.get().drops()
        yield
        if counts_drops:
            self._wait_for_drops(before, reasons)
        else:
            time.sleep(SETTLE)
        for remote, state in states.items():
            self.assertEqual(state, remote.state())

    def _wait_for_drops(self, before, reasons):
        rise = {}

        def risen():
            after = self.engine.get().drops()
            rise.clear()
            rise.update({key: after[key] - before.get(key, 0) for key in after})
            return all(rise.get(reason, 0) >= count for reason, count in reasons.items())

        wait_until(risen, lambda: f"drops {reasons}, but only {({k: v for k, v in rise.items() if v})}")
        got = {key: count for key, count in rise.items() if count and (key in reasons or key not in NOISE)}
        self.assertEqual(reasons, got)

    def assert_delivers(self, remote, session, one=None, payload=b"good", **how):
        """A data packet of ours comes out of the tunnel, and nothing before it."""
        packet = remote.packet_out(payload)
        remote.send(session.seal(packet, **how), one)
        self.assertEqual(packet, self.engine.inner_receive())

    def assert_sends(self, remote, session, one=None, payload=b"good"):
        """A packet into the tunnel comes to us, as the next datagram. Returns its counter."""
        packet = remote.packet_in(payload)
        self.engine.inner_send(packet)
        counter, plain = session.open(remote.receive(one=one))
        self.assertEqual(packet, plain[:len(packet)])
        return counter

    def assert_works(self, remote, session, one=None):
        self.assert_delivers(remote, session, one)
        self.assert_sends(remote, session, one)

    def assert_keepalive(self, session, datagram):
        self.assertEqual(wireguard.KEEPALIVE_LENGTH, len(datagram))
        counter, plain = session.open(datagram)
        self.assertEqual(b"", plain)
        return counter


def garbage(kind, public, index=None):
    """A handshake message with a right MAC1; the rest is random."""
    index = os.urandom(4) if index is None else struct.pack("<I", index)
    body = struct.pack("<I", kind) + index + os.urandom(wireguard.LENGTH[kind] - 8 - 32)
    return wireguard.add_macs(body, public)


class MovedClockCase(EngineCase):
    """With a clock that the test moves (clock.c)."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        source = pathlib.Path(__file__).resolve().with_name("clock.c")
        library, cls.ahead = f"{directory.name}/clock.so", pathlib.Path(directory.name, "ahead")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, str(source)], check=True)
        cls.ahead.write_bytes(bytes(8))
        cls.passed = 0
        # A sanitizer wants to be the first library.
        asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        cls.environment = {"LD_PRELOAD": library, "CLOCK_FILE": str(cls.ahead), "ASAN_OPTIONS": asan}
        super().setUpClass()

    def move(self, seconds):
        type(self).passed += seconds
        with open(self.ahead, "r+b") as file:
            file.write(struct.pack("<q", self.passed * 10**9))
        self.engine.get()  # it looks at its clock whenever something happens


class LoadedCase(EngineCase):
    """The engine is stopped, messages with a right MAC1 (the rest is garbage) fill its queue, it goes on. Then it is under
    load, for a second at least, and whatever was sent behind them meets it so."""

    @classmethod
    def setUpClass(cls):
        # One socket, so that what is sent behind the flood is read behind it.
        os.environ["WG_THREADS"] = "1"
        try:
            super().setUpClass()
        finally:
            del os.environ["WG_THREADS"]
        cls.garbage = [garbage(wireguard.INITIATION, cls.engine.key.public) for _ in range(FLOOD)]
        cls.flooder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.flooder.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        cls.flooder.bind(("127.9.9.9", 0))

    @classmethod
    def tearDownClass(cls):
        cls.flooder.close()
        super().tearDownClass()

    def flood(self, *sends):
        """sends: what to do while the flood waits in front."""
        with self.engine.stopped():
            for message in self.garbage:
                self.flooder.sendto(message, self.engine.address())
            for send in sends:
                send()

    def cookie(self, remote, one=None):
        """As the engine gives it to this source."""
        initiation = remote.initiator().initiation(remote.stamp())
        self.flood(lambda: remote.send(initiation, one))
        return wireguard.open_cookie_reply(remote.receive(one=one), initiation, self.engine.key.public)
