# SPDX-License-Identifier: MIT
"""Time (whitepaper, sections 6.1 to 6.5), in real time: all of them at once, each with a peer of its own on one engine.

A test here is a body that runs in a thread of its own from the start of the class, and a method that waits for its end. What
must not happen is shown by what comes next: the counter of the next packet tells of every packet before it.
"""
import concurrent.futures
import os
import time

import wireguard
from case import EngineCase
from engine import counts_drops, wait_until
from wireguard import INITIATION

RETRY, RETRY_JITTER = 5.0, 0.333
PASSIVE, UNHEARD = 10.0, 15.0
EARLY, LATE = 0.15, 0.35  # by which a busy host may blur what is measured here
LONG = 20.0


def together(body):
    def test(self):
        self.running[body.__name__].result(timeout=300)

    test.body = body
    test.__doc__ = body.__doc__
    return test


class TimersCase(EngineCase):
    running = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        bodies = [method.body for method in vars(cls).values() if hasattr(method, "body")]
        cls.pool = concurrent.futures.ThreadPoolExecutor(len(bodies))
        cls.running = {body.__name__: cls.pool.submit(cls.run_body, body) for body in bodies}

    @classmethod
    def run_body(cls, body):
        self = cls(body.__name__)
        try:
            body(self)
        finally:
            self.doCleanups()

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()
        super().tearDownClass()

    def setUp(self):
        pass

    def assert_after(self, began, seconds, jitter=0.0):
        passed = time.monotonic() - began
        self.assertGreaterEqual(passed, seconds - EARLY)
        self.assertLessEqual(passed, seconds + jitter + LATE)

    def assert_silent(self, remote, seconds):
        remote.socket.settimeout(seconds)
        try:
            datagram = remote.socket.recv(65536)
        except TimeoutError:
            return
        self.fail(f"a datagram of type {datagram[0]}, {len(datagram)} bytes, where none is due")

    def send_data(self, remote, session):
        """Nobody here waits for it to be delivered: the inner side is shared."""
        remote.send(session.seal(remote.packet_out()))


class Timers(TimersCase):
    @together
    def test_an_initiation_is_sent_again(self):
        """After 5 s and up to 1/3 s, and no sooner, whatever else is to be sent; with a new time stamp, index and
        ephemeral key. Its response is the one that counts."""
        remote = self.remote(endpoint=True)
        first, packet = remote.provoke()
        began = time.monotonic()
        packets = [packet]
        for number in range(20):
            packets.append(remote.packet_in(b"more %d" % number))
            self.engine.inner_send(packets[-1])
        second = remote.receive(LONG)
        self.assert_after(began, RETRY, RETRY_JITTER)
        self.assertEqual(INITIATION, wireguard.kind(second))
        early, late = remote.responder(first), remote.responder(second)
        self.assertLess(early.timestamp, late.timestamp)
        for where in (slice(4, 8), slice(8, 40)):
            self.assertNotEqual(first[where], second[where])
        self.assertEqual(wireguard.NO_MAC, second[-16:])
        remote.send(early.response())  # too late: the packets that wait are not sent on it
        remote.send(late.response())
        for packet in packets:
            _, plain = late.session.open(remote.receive())
            self.assertEqual(packet, plain[:len(packet)])

    @together
    def test_it_is_sent_again_and_again(self):
        remote = self.remote(endpoint=True)
        last, _ = remote.provoke()
        stamp = remote.responder(last).timestamp
        for _ in range(3):
            began = time.monotonic()
            last = remote.receive(LONG)
            self.assert_after(began, RETRY, RETRY_JITTER)
            self.assertLess(stamp, remote.responder(last).timestamp)
            stamp = remote.responder(last).timestamp

    @together
    def test_a_cookie_is_used_in_the_next_initiation(self):
        """And not before its time: a cookie reply is no reason to send at once."""
        remote = self.remote(endpoint=True)
        first, packet = remote.provoke()
        began = time.monotonic()
        cookie, forged = bytes(range(16)), bytes(range(16, 32))
        before = remote.settled()
        remote.send(wireguard.make_cookie_reply(first, remote.key.public, cookie), remote.new_socket())
        remote.send(wireguard.make_cookie_reply(first, remote.key.public, forged, mac1=bytes(16)))
        remote.send(wireguard.make_cookie_reply(first, self.engine.key.public, forged))
        second = remote.receive(LONG)
        self.assert_after(began, RETRY, RETRY_JITTER)
        self.assertTrue(wireguard.mac1_valid(second, remote.key.public))
        self.assertTrue(wireguard.mac2_valid(second, cookie))
        self.assertEqual(before["endpoint"], remote.state()["endpoint"])
        responder = remote.responder(second)
        remote.send(responder.response())
        _, plain = responder.session.open(remote.receive())
        self.assertEqual(packet, plain[:len(packet)])

    @together
    def test_a_forged_cookie_is_not_used(self):
        remote = self.remote(endpoint=True)
        first, _ = remote.provoke()
        remote.send(wireguard.make_cookie_reply(first, remote.key.public, bytes(16), mac1=first[:16]))
        remote.send(wireguard.flip(wireguard.make_cookie_reply(first, remote.key.public, bytes(16)), "cookie"))
        remote.send(wireguard.flip(wireguard.make_cookie_reply(first, remote.key.public, bytes(16)), "receiver"))
        self.assertEqual(wireguard.NO_MAC, remote.receive(LONG)[-16:])

    @together
    def test_passive_keepalive(self):
        """10 s after data that was not answered, and once."""
        remote = self.remote()
        session = remote.handshake()
        self.send_data(remote, session)
        began = time.monotonic()
        self.assertEqual(0, self.assert_keepalive(session, remote.receive(LONG)))
        self.assert_after(began, PASSIVE)

    @together
    def test_one_passive_keepalive_for_a_stream(self):
        """Engines may owe a second one, 10 s later, to what came after the first packet; but only one now."""
        remote = self.remote()
        session = remote.handshake()
        self.send_data(remote, session)
        began = time.monotonic()
        for _ in range(9):
            self.send_data(remote, session)
        self.assertEqual(0, self.assert_keepalive(session, remote.receive(LONG)))
        self.assert_after(began, PASSIVE)
        self.assert_silent(remote, 2)
        self.assertEqual(1, self.assert_sends(remote, session))

    @together
    def test_an_answer_makes_a_passive_keepalive_needless(self):
        remote = self.remote()
        session = remote.handshake()
        with remote.taken():
            self.send_data(remote, session)
        self.assertEqual(0, self.assert_sends(remote, session))
        self.assert_silent(remote, PASSIVE + 1)
        self.assertEqual(1, self.assert_sends(remote, session))

    @together
    def test_keepalives_are_not_answered(self):
        remote = self.remote()
        session = remote.handshake()
        for _ in range(3):
            remote.send(session.seal())
        self.assert_silent(remote, PASSIVE + 1)
        self.assertEqual(0, self.assert_sends(remote, session))

    @together
    def test_a_new_handshake_where_nothing_comes_back(self):
        """15 s after the first data that nothing answered, plus jitter. With no packet to send in it, a keepalive confirms
        the new session."""
        remote = self.remote()
        session = remote.handshake()
        self.assert_sends(remote, session)
        began = time.monotonic()
        for _ in range(5):
            self.assert_sends(remote, session)
        datagram = remote.receive(LONG)
        self.assertEqual(INITIATION, wireguard.kind(datagram))
        self.assert_after(began, UNHEARD, RETRY_JITTER)
        responder = remote.responder(datagram)
        remote.send(responder.response())
        self.assertEqual(0, self.assert_keepalive(responder.session, remote.receive()))

    @together
    def test_a_keepalive_is_answer_enough(self):
        remote = self.remote()
        session = remote.handshake()
        self.assert_sends(remote, session)
        remote.send(session.seal())
        self.assert_silent(remote, UNHEARD + 1)
        self.assertEqual(1, self.assert_sends(remote, session))

    @together
    def test_a_forged_answer_is_none(self):
        remote = self.remote()
        session = remote.handshake()
        old = session.seal()
        with remote.taken():
            remote.send(old)
        self.assert_sends(remote, session)
        began = time.monotonic()
        for datagram in (old, session.seal(b"", counter=99)[:-1] + b"\0", b"\4" + bytes(31)):
            remote.send(datagram)
        datagram = remote.receive(LONG)
        self.assertEqual(INITIATION, wireguard.kind(datagram))
        self.assert_after(began, UNHEARD, RETRY_JITTER)

    @together
    def test_persistent_keepalive(self):
        remote = self.remote()
        session = remote.handshake()
        remote.change("persistent_keepalive_interval=1")
        self.assertEqual(0, self.assert_keepalive(session, remote.receive(LONG)))
        began = time.monotonic()
        for counter in range(1, 6):
            self.assertEqual(counter, self.assert_keepalive(session, remote.receive(LONG)))
            self.assert_after(began, counter, jitter=0.1 * counter)
        remote.change("persistent_keepalive_interval=0")
        late = remote.waiting()
        self.assert_silent(remote, 2.5)
        self.assertEqual(6 + len(late), self.assert_sends(remote, session))

    @together
    def test_persistent_keepalive_begins_a_session(self):
        remote = self.remote(endpoint=True, keepalive=1)
        responder = remote.responder(remote.receive(LONG))
        remote.send(responder.response())
        self.assertEqual(0, self.assert_keepalive(responder.session, remote.receive(LONG)))
        began = time.monotonic()
        self.assertEqual(1, self.assert_keepalive(responder.session, remote.receive(LONG)))
        self.assert_after(began, 1)

    @together
    def test_any_traffic_makes_a_persistent_keepalive_needless(self):
        remote = self.remote()
        session = remote.handshake()
        remote.change("persistent_keepalive_interval=2")
        self.assertEqual(0, self.assert_keepalive(session, remote.receive(LONG)))
        for counter in range(1, 4):  # one second of silence at a time, so none is due
            self.assert_silent(remote, 1)
            self.assertEqual(counter, self.assert_sends(remote, session))
        for _ in range(3):
            self.assert_silent(remote, 1)
            remote.send(session.seal())
        began = time.monotonic()
        self.assertEqual(4, self.assert_keepalive(session, remote.receive(LONG)))
        self.assert_after(began, 2)


class SlowTimers(TimersCase):
    """The lives of sessions, cookies and attempts: three minutes, so they run only when they are named."""

    def keep_alive(self, remote, session, began, until):
        """Packets both ways every few seconds, and nothing else on the wire."""
        while time.monotonic() - began < until - 4:
            self.assert_silent(remote, 3)
            with remote.taken():
                self.send_data(remote, session)
            self.assert_sends(remote, session)
        self.assert_silent(remote, max(until - (time.monotonic() - began), 0.001))

    @together
    def test_the_initiator_rekeys_after_120_s(self):
        remote = self.remote(endpoint=True)
        session = remote.engine_handshake()
        began = time.monotonic()
        self.keep_alive(remote, session, began, 119.5)
        self.assert_sends(remote, session)
        self.assert_silent(remote, 1)
        self.assert_sends(remote, session)
        self.assertEqual(INITIATION, wireguard.kind(remote.receive()))

    @together
    def test_the_responder_does_not(self):
        """And after 180 s it can neither send nor receive in the session."""
        remote = self.remote()
        session = remote.handshake()
        began = time.monotonic()
        self.keep_alive(remote, session, began, 178)
        self.assert_sends(remote, session)
        self.assert_silent(remote, 3)
        self.engine.inner_send(remote.packet_in())
        self.assertEqual(INITIATION, wireguard.kind(remote.receive()))
        before = remote.settled()
        dropped = self.engine.get().drops(remote.key.public).get("expired", 0)
        remote.send(session.seal(remote.packet_out()))
        if counts_drops:
            self.wait_for_expired(remote, dropped + 1)
        self.assertEqual(before, remote.state())

    def wait_for_expired(self, remote, count):
        wait_until(lambda: self.engine.get().drops(remote.key.public).get("expired", 0) >= count, "a drop for its age")

    @together
    def test_an_initiator_that_only_receives_rekeys_in_the_last_minute(self):
        """After 165 s, when what comes in shows that the session is still wanted. (After 120 s any packet that it sends,
        were it a keepalive, would do it too; so there is none before.)"""
        remote = self.remote(endpoint=True)
        session = remote.engine_handshake()
        began = time.monotonic()
        self.send_keepalive(remote, session)
        self.assert_silent(remote, 164)
        self.send_data(remote, session)
        self.assert_silent(remote, began + 165.5 - time.monotonic())
        self.send_data(remote, session)
        self.assertEqual(INITIATION, wireguard.kind(remote.receive(1)))

    def send_keepalive(self, remote, session):
        with remote.taken():
            remote.send(session.seal())

    @together
    def test_it_gives_up(self):
        """After 90 s of attempts, which makes 20 initiations; then what waited is gone, and a new packet begins anew."""
        remote = self.remote(endpoint=True)
        remote.provoke()
        for _ in range(19):
            self.assertEqual(INITIATION, wireguard.kind(remote.receive(LONG)))
        self.assert_silent(remote, 7)
        if counts_drops:
            self.assertEqual(1, self.engine.get().drops(remote.key.public).get("given_up", 0))
        initiation, packet = remote.provoke(b"anew")
        responder = remote.responder(initiation)
        remote.send(responder.response())
        counter, plain = responder.session.open(remote.receive())
        self.assertEqual((0, packet), (counter, plain[:len(packet)]))

    @together
    def test_a_cookie_is_used_for_two_minutes(self):
        remote = self.remote()
        initiator = remote.initiator()
        remote.send(initiator.initiation(remote.stamp()))
        cookie = os.urandom(16)
        remote.send(wireguard.make_cookie_reply(remote.receive(), remote.key.public, cookie))
        began = time.monotonic()
        self.assert_silent(remote, 114)
        for passed, used in ((114, True), (121, False)):
            self.assert_silent(remote, max(began + passed - time.monotonic(), 0.001))
            remote.send(remote.initiator().initiation(remote.stamp()))
            response = remote.receive()
            self.assertEqual(used, wireguard.mac2_valid(response, cookie))
            self.assertEqual(not used, response[-16:] == wireguard.NO_MAC)
