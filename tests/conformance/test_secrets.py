# SPDX-License-Identifier: MIT
"""No secret outlives its use: the engine's memory is searched for every key of a handshake, which the test peer knows as
well, in whatever form. That the search finds what is there is shown by the keys that the engine still needs.

Time is moved by a preloaded clock_gettime() (clock.c); SlowSecrets waits for it.
"""
import base64
import os
import pathlib
import re
import resource
import signal
import struct
import time
import unittest

import engine
import memory
import wireguard
from case import EngineCase, LoadedCase, MovedClockCase, Remote
from engine import Engine, ip, libc, wait_until
from wireguard import Initiator, Key, Responder

ZERO_KEYS, COOKIE_LIFE = 540, 120
CAP_IPC_LOCK, CAP_SYS_RESOURCE, PR_CAPBSET_DROP = 14, 24, 24
SANITIZED = b"__asan_" in pathlib.Path(engine.program).read_bytes()


def load_tests(_loader, tests, _pattern):
    """A sanitizer keeps copies of its own, in terabytes of address space: then only what needs no search of an engine."""
    return unittest.TestSuite(some for some in tests if not SANITIZED or any(
        isinstance(test, (SearchTest, SilenceTest)) for test in some))


class Noted:
    """A handshake that takes down all that is secret in it, but for what both static keys give alone."""

    def __init__(self, *how, **more):
        self.secrets = {}
        self.static_static = None
        super().__init__(*how, **more)

    def mix_key(self, data, count=1):
        before = self.chaining
        rest = super().mix_key(data, count)
        number = self.mixed = getattr(self, "mixed", 0) + 1
        if number == 1:  # of an ephemeral public key: whoever listens knows what comes of it
            return rest
        names = {2: "es", 3: "ss", 4: "e", 5: "ee", 6: "se", 7: "psk"}
        name = names[number]
        if name in ("es", "ee", "se"):
            self.secrets[f"shared secret {name}"] = data
        if name == "ss":
            self.static_static = data
        self.secrets[f"PRK after {name}"] = wireguard.hmac.digest(before, data, "blake2s")
        self.secrets[f"chaining key after {name}"] = self.chaining
        for place, key in enumerate(rest):
            self.secrets[f"key {place} after {name}"] = key
        return rest


class NotedInitiator(Noted, Initiator):
    pass


class NotedResponder(Noted, Responder):
    pass


def keys_of(session):
    return {"our sending key": session.send_key, "our receiving key": session.receive_key}


class SecretsCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.secrets = {}  # what must be gone

    def initiator(self, remote):
        initiator = NotedInitiator(remote.key, self.engine.key.public, psk=remote.psk)
        initiator.secrets["our ephemeral key"] = initiator.ephemeral.private
        return initiator

    def private_key(self):
        """As it is used."""
        return {"the private key": memory.clamp(self.engine.key.private)}

    def begun_by_us(self, remote):
        """A confirmed session and its handshake."""
        initiator = self.initiator(remote)
        remote.send(initiator.initiation(remote.stamp()))
        session = initiator.finish(remote.receive())
        with remote.confirmed():
            remote.send(session.seal())
        self.assert_works(remote, session)
        return session, initiator

    def begun_by_engine(self, remote):
        initiation, packet = remote.provoke()
        responder = NotedResponder(remote.key, initiation, psk=remote.psk)
        remote.send(responder.response())
        _, plain = responder.session.open(remote.receive())
        self.assertEqual(packet, plain[:len(packet)])
        self.assert_works(remote, responder.session)
        return responder.session, responder

    def give_cookie(self, remote):
        cookie = os.urandom(16)
        initiation, _ = remote.provoke()
        remote.send(wireguard.make_cookie_reply(initiation, remote.key.public, cookie))
        wait_until(lambda: self.finds({"the cookie": cookie}), "the engine has the cookie")
        return {"the cookie": cookie}

    def finds(self, secrets):
        return memory.look(self.engine.process.pid, secrets)

    def assert_there(self, secrets):
        """Each of them, whole."""
        where = memory.blobs(self.engine.process.pid)
        for name, secret in secrets.items():
            self.assertTrue(any(secret in blob for blob in where.values()), f"the search does not see {name}")

    def assert_gone(self, *secrets):
        for some in secrets:
            self.assertEqual([], self.finds(some))


class SearchTest(unittest.TestCase):
    """The search itself."""

    secret = bytes(range(101, 133))

    def search(self, blob, secret=None):
        return memory.search({"here": blob}, {"it": secret or self.secret})

    def test_it_finds_every_form(self):
        for form, patterns in memory.forms(self.secret).items():
            for pattern in patterns:
                self.assertTrue(any(form in find for find in self.search(b"\0" * 77 + pattern + b"\0" * 3)), form)

    def test_it_finds_what_programs_write(self):
        for blob in (self.secret[8:24], self.secret.hex().encode()[16:48], base64.b64encode(self.secret)[:24],
                     struct.pack(">8I", *struct.unpack("<8I", self.secret)), self.secret[4:8] * 8):
            self.assertNotEqual([], self.search(b"x" + blob))

    def test_it_finds_nothing_where_nothing_is(self):
        self.assertEqual([], self.search(os.urandom(1 << 20)))


class SessionTest(SecretsCase):
    def test_traffic_leaves_nothing_of_its_keys(self):
        """On the stacks of the workers, say: packets of all lengths, alone and in trains, good and forged, both ways."""
        remote = self.remote(endpoint=True)
        session, _ = self.begun_by_us(remote)
        for length in (0, 1, 15, 16, 63, 64, 200, 576, 1100, 1392):
            self.assert_delivers(remote, session, payload=bytes(length))
            self.assert_sends(remote, session, payload=bytes(length))
            packet = remote.packet_out(bytes(length))
            remote.send_train([session.seal(packet) for _ in range(17)])
            for _ in range(17):
                self.assertEqual(packet, self.engine.inner_receive())
        with self.drops(forged=1):
            remote.send(session.seal(remote.packet_out())[:-1] + b"x")
        self.assert_sends(remote, session)
        self.engine.inner_waiting()
        self.assert_there(keys_of(session))
        self.assertEqual([], [find for find in self.finds(keys_of(session)) if "[heap]" not in find])
        self.engine.down()
        self.addCleanup(self.engine.up)
        self.assert_gone(keys_of(session))

    def test_a_handshake_leaves_the_session_keys_only(self):
        """Whoever began it."""
        for psk in (False, True):
            for begin in (self.begun_by_us, self.begun_by_engine):
                with self.subTest(begin=begin.__name__, psk=psk):
                    remote = self.remote(endpoint=True, psk=psk)
                    session, handshake = begin(remote)
                    self.assert_there(keys_of(session) | self.private_key() | {"ss": handshake.static_static})
                    if psk:
                        self.assert_there({"the preshared key": remote.psk})
                    self.assert_gone(handshake.secrets)

    def test_a_handshake_under_way_ends_with_the_link(self):
        remote = self.remote(endpoint=True)
        initiation, _ = remote.provoke()
        responder = NotedResponder(remote.key, initiation)
        under_way = {"chaining key after ss": responder.secrets.pop("chaining key after ss")}
        self.assert_there(under_way)
        self.assert_gone(responder.secrets)
        self.engine.down()
        self.addCleanup(self.engine.up)
        self.assert_gone(under_way)

    def test_a_forged_message_leaves_nothing(self):
        remote = self.remote()
        initiator = self.initiator(remote)
        message = wireguard.flip(initiator.initiation(remote.stamp()), "timestamp")
        with self.drops(bad_handshake=1):
            remote.send(wireguard.with_macs(message, self.engine.key.public))
        self.assert_gone(initiator.secrets)

    def test_a_stranger_leaves_nothing(self):
        remote = self.remote(known=False)
        initiator = self.initiator(remote)
        with self.drops(unknown_peer=1):
            remote.send(initiator.initiation(remote.stamp()))
        self.assert_gone(initiator.secrets)

    def test_replaced_keys_are_gone(self):
        """A session lives until the second after it."""
        for begin in (self.begun_by_us, self.begun_by_engine):
            with self.subTest(begin=begin.__name__):
                remote = self.remote(endpoint=True)
                first, _ = self.begun_by_us(remote)
                second, _ = self.begun_by_us(remote)
                self.assert_there(keys_of(first) | keys_of(second))
                third, _ = self.begun_by_us(remote)
                self.assert_there(keys_of(third))
                self.assert_gone(keys_of(first))

    def test_link_down(self):
        remotes = [self.remote(endpoint=True) for _ in range(2)]
        sessions = [self.begun_by_us(remotes[0])[0], self.begun_by_engine(remotes[1])[0]]
        self.engine.down()
        self.addCleanup(self.engine.up)
        self.assert_gone(*map(keys_of, sessions))
        self.assert_there(self.private_key())

    def test_peer_removal(self):
        remote = self.remote(psk=True)
        session, handshake = self.begun_by_us(remote)
        remote.remove()
        self.assert_gone(keys_of(session), handshake.secrets,
                         {"the preshared key": remote.psk, "ss": handshake.static_static})

    def test_replaced_and_removed_preshared_key(self):
        remote = self.remote(psk=True)
        other = os.urandom(32)
        remote.change(f"preshared_key={other.hex()}")
        self.assert_there({"the other": other})
        self.assert_gone({"the preshared key": remote.psk})
        remote.change(f"preshared_key={bytes(32).hex()}")
        self.assert_gone({"the other": other})

    def test_keys_in_a_broken_operation(self):
        """A line that is refused, and one that never ends."""
        key, other = os.urandom(32), os.urandom(32)
        remote = self.remote()
        with self.assertRaises(AssertionError):
            remote.change(f"preshared_key={key.hex()}x")
        with self.engine._connect() as client:
            client.sendall(f"set=1\npublic_key={remote.key.public.hex()}\npreshared_key={other.hex()[:-2]}".encode())
            wait_until(lambda: self.finds({"other": other}), "the line has been read")
        wait_until(lambda: not self.finds({"other": other}), "the line is gone with its connection")
        self.assert_gone({"key": key})

    def test_asking_leaves_nothing(self):
        """The answer to a get has all keys in hexadecimal."""
        remote = self.remote(psk=True)
        self.assertEqual(remote.psk.hex(), remote.state()["preshared_key"])
        for name, secret in {"private": self.engine.key.private, "preshared": remote.psk}.items():
            self.assertEqual([], [find for find in self.finds({name: secret}) if "hexadecimal" in find])

    def test_a_cookie_ends_with_the_link(self):
        remote = self.remote(endpoint=True)
        cookie = self.give_cookie(remote)
        self.assert_there(cookie)
        self.engine.down()
        self.addCleanup(self.engine.up)
        self.assert_gone(cookie)

class IdentityTest(SecretsCase):
    def setUp(self):
        super().setUp()
        self.old = {"the private key": self.engine.key.private}

    def change(self, key):
        self.engine.set(f"private_key={key.private.hex() if key else bytes(32).hex()}")
        if key:
            self.engine.key = key

    def test_replaced(self):
        _, handshake = self.begun_by_us(self.remote())
        self.change(Key())
        self.assert_gone(self.old, {"ss": handshake.static_static}, handshake.secrets)
        self.assert_there(self.private_key())

    def test_removed(self):
        """Without an identity there can be no session either."""
        session, handshake = self.begun_by_us(self.remote())
        self.addCleanup(self.change, Key())
        self.change(None)
        self.assert_gone(self.old, {"ss": handshake.static_static}, handshake.secrets, keys_of(session))


class ClockTest(MovedClockCase, SecretsCase):
    def test_sessions_end_after_540_s(self):
        remotes = [self.remote(endpoint=True, psk=True) for _ in range(3)]
        first, handshake = self.begun_by_us(remotes[0])
        second, _ = self.begun_by_engine(remotes[1])
        previous, _ = self.begun_by_us(remotes[2])
        current, _ = self.begun_by_us(remotes[2])
        sessions = [first, second, previous, current]
        self.move(ZERO_KEYS - 10)
        for session in sessions:
            self.assert_there(keys_of(session))
        self.move(20)
        for session in sessions:
            self.assert_gone(keys_of(session))
        self.assert_gone(handshake.secrets)

    def test_a_handshake_that_nobody_answers(self):
        remote = self.remote(endpoint=True)
        initiation, _ = remote.provoke()
        chaining = [NotedResponder(remote.key, initiation).chaining]
        for _ in range(19):
            self.move(6)
            chaining.append(NotedResponder(remote.key, remote.receive()).chaining)
        self.assert_gone(*({"an earlier attempt": one} for one in chaining[:-1]))
        self.assert_there({"the last attempt": chaining[-1]})
        self.move(6)  # gives up
        self.move(ZERO_KEYS + 1)
        self.assert_gone({"the last attempt": chaining[-1]})

    def test_a_cookie_ends(self):
        remote = self.remote(endpoint=True)
        cookie = self.give_cookie(remote)
        self.move(COOKIE_LIFE - 10)
        self.assert_there(cookie)
        self.move(11)
        self.assert_gone(cookie)


class LoadTest(LoadedCase, SecretsCase):
    def test_the_cookies_that_it_gives(self):
        remote = self.remote()
        given = {"the cookie of an address": self.cookie(remote)}
        self.calm_session(remote)
        self.assert_gone(given)


class SlowSecrets(SecretsCase):
    """In real time: nine minutes, so it runs only when it is named."""

    def test_sessions_end_after_540_s(self):
        remote = self.remote(endpoint=True)
        session, handshake = self.begun_by_us(remote)
        other = self.remote(endpoint=True)
        second, _ = self.begun_by_engine(other)
        began = time.monotonic()
        time.sleep(ZERO_KEYS - 5 - (time.monotonic() - began))
        self.assert_there(keys_of(session) | keys_of(second))
        time.sleep(7)
        self.assert_gone(keys_of(session), keys_of(second), handshake.secrets)


class EndTest(SecretsCase):
    """Held at its end, the engine has nothing left."""

    def setUp(self):
        type(self).engine = Engine(Key())
        self.engine.start()
        super().setUp()

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def end(self, how):
        """Ends the engine, and returns what was in its memory then."""
        remote = self.remote(endpoint=True, psk=True)
        second, _ = self.begun_by_engine(remote)
        session, handshake = self.begun_by_us(remote)
        secrets = keys_of(session) | handshake.secrets | {
            "second sending key": second.send_key, "second receiving key": second.receive_key,
            "the private key": self.engine.key.private, "the preshared key": remote.psk, "ss": handshake.static_static}
        watched = memory.Watched(self.engine.process.pid)
        how()
        status = watched.wait()
        self.engine.process.returncode = os.waitstatus_to_exitcode(status)
        _, said = self.engine.stop()
        self.assertEqual("", said)
        self.assertNotEqual({}, watched.memory)
        return memory.search(watched.memory, secrets), status

    def test_terminated(self):
        self.assertEqual(([], 0), self.end(lambda: self.engine.process.send_signal(signal.SIGTERM)))

    def test_interrupted(self):
        self.assertEqual(([], 0), self.end(lambda: self.engine.process.send_signal(signal.SIGINT)))

    def test_interface_deleted(self):
        self.assertEqual(([], 0), self.end(lambda: ip("link", "delete", self.engine.name)))

    def test_socket_removed(self):
        self.assertEqual(([], 0), self.end((engine.SOCKETS / f"{self.engine.name}.sock").unlink))

    def test_crashed(self):
        """Then it had no time, which shows that the search sees; but it leaves no core."""
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        finds, status = self.end(lambda: self.engine.process.send_signal(signal.SIGSEGV))
        self.assertNotEqual([], finds)
        self.assertEqual(signal.SIGSEGV, os.WTERMSIG(status))
        self.assertFalse(os.WCOREDUMP(status))


class LockTest(unittest.TestCase):
    """Nothing of the engine is swapped to disk."""

    def setUp(self):
        self.engine = Engine(Key())
        self.addCleanup(lambda: self.engine.alive() and self.engine.stop())

    def unlocked(self):
        """The writable mappings that may be swapped."""
        text = pathlib.Path(f"/proc/{self.engine.process.pid}/smaps").read_text()
        found, mapping = [], ""
        for line in text.splitlines():
            if re.match("[0-9a-f]+-[0-9a-f]+ rw", line):
                mapping = line
            elif re.match("[0-9a-f]+-[0-9a-f]+ ", line):
                mapping = ""
            elif line.startswith("VmFlags:") and mapping and " lo" not in line:
                found.append(mapping)
        return found

    def without_rights(self):
        for right in (CAP_IPC_LOCK, CAP_SYS_RESOURCE):
            libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
        soft, hard = (1 << 20, 1 << 20)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))

    def fill(self):
        """Many peers and a session, for which it needs more memory than at its start."""
        for first in range(0, 4000, 500):
            self.engine.set(*(f"public_key={os.urandom(32).hex()}" for _ in range(first, first + 500)))
        remote = Remote(self.engine)
        remote.handshake()
        self.assertEqual(4001, len(self.engine.get().peers))

    def test_all_is_locked(self):
        self.engine.start()
        self.fill()
        self.assertEqual([], self.unlocked())
        self.assertEqual((0, ""), self.engine.stop())

    def test_where_it_may_not(self):
        """It says so, and works all the same."""
        self.engine.start(prepare=self.without_rights)
        self.fill()
        self.assertNotEqual([], self.unlocked())
        status, said = self.engine.stop()
        self.assertEqual(0, status)
        self.assertRegex(said, r"^wgengine: \w+: keys may be swapped to disk: .*CAP_IPC_LOCK.*\n$")


class SilenceTest(SecretsCase):
    """What it says, whatever it is asked, holds no key."""

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(Key())
        cls.engine.environment = {"LOG_LEVEL": "verbose"}
        cls.engine.start()

    @classmethod
    def tearDownClass(cls):
        cls.engine.stop()

    def test_verbose(self):
        key = os.urandom(32)
        text, remote = key.hex(), self.remote(psk=True)
        session, _ = self.begun_by_us(remote)
        for value in (text[:-1], text + "0", f"{text} ", f"0x{text}", text[:-1] + "g", base64.b64encode(key).decode()):
            for line in (f"private_key={value}", f"public_key={value}", f"{value}=1", f"listen_port={value}", value):
                with self.assertRaises(AssertionError):
                    self.engine.set(line)
        self.assertNotEqual("", self.engine.said())
        pid = self.engine.process.pid
        blobs = {name: pathlib.Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ", "comm")}
        blobs["what it said"] = self.engine.said().encode()
        second, _ = self.begun_by_engine(self.remote(endpoint=True))
        # What it remembers over restarts: the times of its initiations.
        blobs["its state file"] = (engine.SOCKETS / f"{self.engine.name}.clock").read_bytes()
        self.assertNotEqual(b"", blobs["its state file"])
        secrets = keys_of(session) | keys_of(second) | self.private_key() | {"the key": key, "the preshared key": remote.psk,
                                                           "as it was": self.engine.key.private}
        self.assertEqual([], memory.search(blobs, secrets))
