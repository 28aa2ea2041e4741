# SPDX-License-Identifier: MIT
"""Under load: MAC2, cookies and the rate limit (whitepaper, sections 5.3, 5.4.7)."""
import itertools
import os
import socket
import struct
import time
import unittest

import wireguard
from case import EngineCase, LoadedCase
from engine import counts_drops
from wireguard import COOKIE_REPLY, INITIATION, LENGTH, RESPONSE


class Loaded(LoadedCase):
    hosts = itertools.count(1)

    def remote(self, **how):
        """Each from an address of its own, since the limits are by address."""
        if how.get("family") != socket.AF_INET6:
            how.setdefault("host", f"127.6.6.{next(self.hosts)}")
        return super().remote(**how)

    def test_a_cookie_instead_of_an_answer(self):
        remote = self.remote()
        initiation = remote.initiator(index=0x01020304).initiation(remote.stamp())
        state = remote.settled()
        self.flood(lambda: remote.send(initiation))
        reply = remote.receive()
        self.assertEqual(LENGTH[COOKIE_REPLY], len(reply))
        self.assertEqual(struct.pack("<II", COOKIE_REPLY, 0x01020304), reply[:8])
        cookie = wireguard.open_cookie_reply(reply, initiation, self.engine.key.public)
        self.assertEqual(16, len(cookie))
        self.assertEqual(state, remote.state())

    def test_cookie_replies_have_different_nonces(self):
        self.cookie(self.remote())
        self.flooder.settimeout(5)
        nonces = [self.flooder.recv(2048)[8:32] for _ in range(20)]
        self.assertEqual(20, len(set(nonces)))

    def test_valid_mac2_is_answered(self):
        remote = self.remote()
        cookie = self.cookie(remote)
        initiator = remote.initiator()
        initiation = initiator.initiation(remote.stamp(), cookie)
        self.flood(lambda: remote.send(initiation))
        session = initiator.finish(remote.receive())
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_the_same_initiation_with_mac2_is_answered(self):
        """A cookie reply leaves no trace: the time stamp of the message that it answered may be used again."""
        remote = self.remote()
        initiator = remote.initiator()
        initiation = initiator.initiation(remote.stamp())
        self.flood(lambda: remote.send(initiation))
        cookie = wireguard.open_cookie_reply(remote.receive(), initiation, self.engine.key.public)
        again = wireguard.with_macs(initiation, self.engine.key.public, cookie)
        self.flood(lambda: remote.send(again))
        session = initiator.finish(remote.receive())
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_mac2_of_another_port(self):
        remote = self.remote()
        cookie, one = self.cookie(remote), remote.new_socket(host=remote.socket.getsockname()[0])
        self.assert_still_asked(remote, cookie, one)

    def test_mac2_of_another_address(self):
        remote = self.remote()
        cookie, one = self.cookie(remote), remote.new_socket(host="127.0.0.78")
        self.assert_still_asked(remote, cookie, one)

    def test_mac2_of_another_family(self):
        remote = self.remote()
        cookie, one = self.cookie(remote), remote.new_socket(socket.AF_INET6)
        self.assert_still_asked(remote, cookie, one)

    def test_wrong_mac2(self):
        remote = self.remote()
        cookie = self.cookie(remote)
        self.assert_still_asked(remote, bytes([cookie[0] ^ 1]) + cookie[1:], None)
        self.assert_still_asked(remote, bytes(16), None)

    def assert_still_asked(self, remote, cookie, one):
        initiation = remote.initiator().initiation(remote.stamp(), cookie)
        state = remote.settled()
        self.flood(lambda: remote.send(initiation, one))
        wireguard.open_cookie_reply(remote.receive(one=one), initiation, self.engine.key.public)
        self.assertEqual(state, remote.state())

    def test_mac2_over_ipv6(self):
        remote = self.remote(family=socket.AF_INET6)
        cookie = self.cookie(remote)
        initiator = remote.initiator()
        initiation = initiator.initiation(remote.stamp(), cookie)
        self.flood(lambda: remote.send(initiation))
        initiator.finish(remote.receive())

    def test_wrong_mac1_gets_nothing(self):
        remote = self.remote()
        bad = wireguard.flip(remote.initiator().initiation(remote.stamp()), "mac1", 0)
        good = remote.initiator().initiation(remote.stamp())
        self.flood(lambda: remote.send(bad), lambda: remote.send(good))
        wireguard.open_cookie_reply(remote.receive(), good, self.engine.key.public)

    def test_data_passes(self):
        remote = self.remote()
        session = self.calm_session(remote)
        packet = remote.packet_out()
        self.flood(lambda: remote.send(session.seal(packet)))
        self.assertEqual(packet, self.engine.inner_receive())
        self.assert_works(remote, session)

    def test_a_response_needs_mac2_too(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder = remote.responder(initiation)
        response = responder.response()
        state = remote.settled()
        self.flood(lambda: remote.send(response))
        cookie = wireguard.open_cookie_reply(remote.receive(), response, self.engine.key.public)
        self.assertEqual(state, remote.state())
        again = wireguard.with_macs(response, self.engine.key.public, cookie)
        self.flood(lambda: remote.send(again))
        _, plain = responder.session.open(remote.receive())
        self.assertEqual(packet, plain[:len(packet)])
        self.assert_works(remote, responder.session)

    @unittest.skipUnless(counts_drops, "only counters tell the rate limit from other losses")
    def test_rate_limit_of_one_source(self):
        """Valid MAC2s: a burst of 5, then 20 a second; a source of another address is not concerned. An answer, or a drop
        by the limit, is all that can happen to them."""
        count = 40
        greedy, modest = self.remote(), self.remote()
        cookies = {remote: self.cookie(remote) for remote in (greedy, modest)}
        stamp = greedy.stamp()
        bodies = [greedy.initiator().initiation(stamp, cookies[greedy]) for _ in range(count)]
        initiator = modest.initiator()
        initiation = initiator.initiation(modest.stamp(), cookies[modest])
        before = self.engine.get().drops()
        began = time.monotonic()
        self.flood(lambda: [greedy.send(body) for body in bodies[:count // 2]])
        self.assertEqual(RESPONSE, wireguard.kind(greedy.receive()))
        self.flood(lambda: [greedy.send(body) for body in bodies[count // 2:]], lambda: modest.send(initiation))
        initiator.finish(modest.receive())
        limit = 5 + 20 * (time.monotonic() - began) + 1
        after = self.engine.get().drops()
        limited = after.get("rate_limited", 0) - before.get("rate_limited", 0)
        self.assertLessEqual(limited, count - 5)
        self.assertGreaterEqual(limited, count - limit)

    def test_after_the_load_all_is_as_before(self):
        remote = self.remote()
        self.cookie(remote)
        session = self.calm_session(remote)
        remote.send(session.seal())
        self.assert_works(remote, session)


class CookieReply(EngineCase):
    """A cookie reply to the engine, which then owes MAC2 in its next message. Where it begins, see the timers; here it
    answers."""

    def answer(self, remote):
        """(the engine's response, our initiator)"""
        initiator = remote.initiator()
        remote.send(initiator.initiation(remote.stamp()))
        return remote.receive(), initiator

    def marker(self):
        with self.drops(malformed=1):
            self.remote().send(b"marker")

    def test_the_next_message_carries_mac2(self):
        remote = self.remote()
        response, _ = self.answer(remote)
        cookie = os.urandom(16)
        before = remote.settled()
        remote.send(wireguard.make_cookie_reply(response, remote.key.public, cookie))
        self.marker()
        self.assertEqual(before, remote.state())
        for _ in range(2):
            response, initiator = self.answer(remote)
            self.assertTrue(wireguard.mac1_valid(response, remote.key.public))
            self.assertTrue(wireguard.mac2_valid(response, cookie))
        session = initiator.finish(response)
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_a_newer_cookie_replaces_it(self):
        remote = self.remote()
        for _ in range(3):
            response, _ = self.answer(remote)
            cookie = os.urandom(16)
            remote.send(wireguard.make_cookie_reply(response, remote.key.public, cookie))
            self.marker()
        response, _ = self.answer(remote)
        self.assertTrue(wireguard.mac2_valid(response, cookie))

    def test_it_may_come_from_anywhere_and_never_moves_the_endpoint(self):
        remote = self.remote()
        response, _ = self.answer(remote)
        cookie = os.urandom(16)
        before = remote.settled()
        remote.send(wireguard.make_cookie_reply(response, remote.key.public, cookie), remote.new_socket())
        self.marker()
        self.assertEqual(before, remote.state())
        response, _ = self.answer(remote)
        self.assertTrue(wireguard.mac2_valid(response, cookie))

    def test_forged(self):
        remote, other = self.remote(), self.remote()
        response, initiator = self.answer(remote)
        older = response
        remote.send(initiator.finish(response).seal())
        response, initiator = self.answer(remote)
        cookie = os.urandom(16)
        good = wireguard.make_cookie_reply(response, remote.key.public, cookie)
        bad = {
            "for another MAC1": wireguard.make_cookie_reply(response, remote.key.public, cookie, mac1=os.urandom(16)),
            "for an older MAC1": wireguard.make_cookie_reply(response, remote.key.public, cookie, mac1=older[-32:-16]),
            "without MAC1": wireguard.make_cookie_reply(response, remote.key.public, cookie, mac1=b""),
            "by another peer": wireguard.make_cookie_reply(response, other.key.public, cookie),
            "with the engine's key": wireguard.make_cookie_reply(response, self.engine.key.public, cookie),
            "turned nonce": wireguard.flip(good, "nonce", 100),
            "turned cookie": wireguard.flip(good, "cookie", 0),
            "turned tag": wireguard.flip(good, "cookie", 255),
        }
        for name, reply in bad.items():
            with self.subTest(name), self.drops(bad_handshake=1, unchanged=[remote]):
                remote.send(reply)
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(wireguard.flip(good, "receiver", 3))
        response, initiator = self.answer(remote)
        self.assertEqual(wireguard.NO_MAC, response[-16:])
        session = initiator.finish(response)
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_replayed(self):
        """The one who replays an old cookie reply cannot bring the old cookie back."""
        remote = self.remote()
        replies, cookies = [], []
        for _ in range(2):
            response, _ = self.answer(remote)
            cookies.append(os.urandom(16))
            replies.append(wireguard.make_cookie_reply(response, remote.key.public, cookies[-1]))
            remote.send(replies[-1])
            self.marker()
        with self.drops(unchanged=[remote], bad_handshake=1):
            remote.send(replies[1])
        response, _ = self.answer(remote)
        self.assertTrue(wireguard.mac2_valid(response, cookies[1]))

    def test_a_cookie_serves_one_peer_only(self):
        remote, other = self.remote(), self.remote()
        response, _ = self.answer(remote)
        remote.send(wireguard.make_cookie_reply(response, remote.key.public, os.urandom(16)))
        self.marker()
        response, _ = self.answer(other)
        self.assertEqual(wireguard.NO_MAC, response[-16:])
