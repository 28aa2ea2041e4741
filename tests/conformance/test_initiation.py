# SPDX-License-Identifier: MIT
"""The engine as the responder: which initiations it answers (whitepaper, sections 5.1, 5.4.2, 5.4.4)."""
import os
import socket
import struct
import unittest

import wireguard
from case import EngineCase, Remote
from engine import counts_drops
from wireguard import COOKIE_REPLY, DATA, INITIATION, LOW_ORDER_POINTS, RESPONSE, Initiator, Key, LowOrderKey


class Initiation(EngineCase):
    def test_accepted_without_preshared_key(self):
        remote = self.remote()
        self.assert_works(remote, remote.handshake())

    def test_accepted_with_preshared_key(self):
        remote = self.remote(psk=True)
        self.assert_works(remote, remote.handshake())

    def test_accepted_over_ipv6(self):
        remote = self.remote(family=socket.AF_INET6)
        self.assert_works(remote, remote.handshake())

    def test_response_is_made_as_specified(self):
        remote = self.remote()
        ephemerals, indices = set(), set()
        for index in (0, 1, 0xFFFFFFFF):
            initiator = remote.initiator(index=index)
            remote.send(initiator.initiation(remote.stamp()))
            response = remote.receive()
            self.assertEqual(RESPONSE, wireguard.kind(response))
            self.assertEqual(struct.pack("<I", index), response[8:12])
            self.assertTrue(wireguard.mac1_valid(response, remote.key.public))
            self.assertEqual(wireguard.NO_MAC, response[-16:])
            ephemerals.add(response[12:44])
            indices.add(response[4:8])
            initiator.finish(response)
        self.assertEqual(3, len(ephemerals))
        self.assertEqual(3, len(indices))

    def test_two_peers_may_choose_the_same_index(self):
        one, two = self.remote(), self.remote()
        sessions = [remote.handshake(index=77) for remote in (one, two)]
        self.assert_works(one, sessions[0])
        self.assert_works(two, sessions[1])

    def test_mac2_is_not_looked_at_without_load(self):
        remote = self.remote()
        self.assert_works(remote, remote.handshake(cookie=os.urandom(16)))

    def test_wrong_mac1(self):
        remote = self.remote()
        good = remote.initiator().initiation(remote.stamp())
        with self.drops(bad_mac1=130, unchanged=[remote]):
            for bit in range(128):
                remote.send(wireguard.flip(good, "mac1", bit))
            remote.send(good[:116] + wireguard.NO_MAC + good[132:])
            remote.send(wireguard.with_macs(good, remote.key.public))
        self.assert_works(remote, remote.handshake())

    def test_mac1_for_the_engine_but_made_for_another_static_key(self):
        remote = self.remote()
        lost = Initiator(remote.key, Key().public).initiation(remote.stamp(), mac1_public=self.engine.key.public)
        with self.drops(bad_handshake=1, unchanged=[remote]):
            remote.send(lost)
        self.assert_works(remote, remote.handshake())

    def test_a_turned_bit_in_each_field(self):
        remote = self.remote()
        good = remote.initiator().initiation(remote.stamp())
        with self.drops(bad_mac1=4, unchanged=[remote]):
            for field in ("sender", "ephemeral", "static", "timestamp"):
                remote.send(wireguard.flip(good, field, 3))
        with self.drops(bad_handshake=5, unchanged=[remote]):
            for field, bit in (("ephemeral", 3), ("static", 0), ("static", 8 * 48 - 1), ("timestamp", 0),
                               ("timestamp", 8 * 28 - 1)):
                remote.send(wireguard.with_macs(wireguard.flip(good, field, bit), self.engine.key.public))
        remote.send(good)
        self.assertEqual(RESPONSE, wireguard.kind(remote.receive()))

    def test_unknown_peer(self):
        stranger = Remote(self.engine, known=False)
        self.addCleanup(lambda: [one.close() for one in stranger.sockets])
        remote = self.remote()
        with self.drops(unknown_peer=1, unchanged=[remote]):
            stranger.send(stranger.initiator().initiation(stranger.stamp()))
        self.assert_works(remote, remote.handshake())
        self.assertEqual([], stranger.waiting())

    def test_the_engines_own_key_is_no_peer(self):
        remote = self.remote()
        mirror = Initiator(self.engine.key, self.engine.key.public)
        with self.drops(unknown_peer=1, unchanged=[remote]):
            remote.send(mirror.initiation(remote.stamp()))
        self.assert_works(remote, remote.handshake())

    def test_replayed(self):
        remote = self.remote()
        initiation = remote.initiator().initiation(remote.stamp())
        remote.send(initiation)
        remote.receive()
        remote.stamp()  # far enough from the first one
        with self.drops(old_initiation=2, unchanged=[remote]):
            remote.send(initiation)
            remote.send(initiation, remote.new_socket())
        self.assert_works(remote, remote.handshake())

    def test_same_timestamp_in_a_new_initiation(self):
        remote = self.remote()
        stamp = remote.stamp()
        remote.send(remote.initiator().initiation(stamp))
        remote.receive()
        remote.stamp()
        with self.drops(old_initiation=1, unchanged=[remote]):
            remote.send(remote.initiator().initiation(stamp))
        self.assert_works(remote, remote.handshake())

    def test_older_timestamp(self):
        remote = self.remote()
        session = remote.handshake()
        last = remote.clock
        remote.stamp()
        with self.drops(old_initiation=3, unchanged=[remote]):
            for age in (1, 10**9, last):
                remote.send(remote.initiator().initiation(wireguard.tai64n(last - age)))
        self.assert_works(remote, session)

    def test_timestamp_is_compared_as_a_number(self):
        """A byte that falls while one before it rises is newer; the other way round is older."""
        remote = self.remote()
        base = (remote.clock // (10**9 << 8) << 8) * 10**9  # seconds that end in a zero byte
        for clock in (base - 10**9 + 5, base + 3):
            remote.clock = clock - 10**18  # not in the future
            initiator = remote.initiator()
            remote.stamp()
            remote.send(initiator.initiation(wireguard.tai64n(clock)))
            session = initiator.finish(remote.receive())
        remote.stamp()
        with self.drops(old_initiation=1, unchanged=[remote]):
            remote.send(remote.initiator().initiation(wireguard.tai64n(base - 10**9 + 999999999)))
        self.assert_delivers(remote, session)

    @unittest.skipUnless(counts_drops, "which of several initiations is dropped only counters show")
    def test_flood(self):
        """Of two newer initiations within 20 ms the second is not answered. A host may be too slow to see them so close
        together, so this has some tries."""
        remote = self.remote()
        for _ in range(20):
            first, second = remote.initiator(), remote.initiator()
            messages = [one.initiation(remote.stamp()) for one in (first, second)]
            remote.stamp()
            before = self.engine.get().drops().get("initiation_flood", 0)
            with self.engine.stopped():
                for message in messages:
                    remote.send(message)
            first.finish(remote.receive())
            with self.drops(malformed=1):
                remote.send(b"marker")
            if self.engine.get().drops().get("initiation_flood", 0) == before + 1:
                break
            second.finish(remote.receive())
        else:
            self.fail("both of two initiations were answered, 20 times")
        self.assertEqual([], remote.waiting())
        remote.stamp()
        self.assert_works(remote, remote.handshake())

    def test_low_order_ephemeral(self):
        """The messages are right in all else: who computes with a zero shared secret can open them."""
        remote = self.remote()
        for name, point in LOW_ORDER_POINTS.items():
            with self.subTest(name), self.drops(bad_handshake=1, unchanged=[remote]):
                remote.send(remote.initiator(ephemeral=LowOrderKey(point)).initiation(remote.stamp()))
        self.assert_works(remote, remote.handshake())

    def test_wrong_lengths(self):
        remote = self.remote()
        lengths = {INITIATION: (4, 16, 31, 32, 64, 92, 116, 132, 147, 149, 164, 1480, 65507),
                   RESPONSE: (4, 32, 60, 64, 76, 91, 93, 148, 9000),
                   COOKIE_REPLY: (4, 32, 48, 63, 65, 92, 148),
                   DATA: (4, 8, 15, 16, 17, 31)}
        body = remote.initiator().initiation(remote.stamp())[4:] + bytes(65536)
        with self.drops(malformed=sum(map(len, lengths.values())) + 4, unchanged=[remote]):
            for number, sizes in lengths.items():
                for size in sizes:
                    remote.send((struct.pack("<I", number) + body)[:size])
            for datagram in (b"", b"\1", b"\1\0", b"\1\0\0"):
                remote.send(datagram)
        self.assert_works(remote, remote.handshake())

    def test_truncated_or_longer_with_a_valid_mac1(self):
        """Its MACs are in their right places, counted from the end, so only the length is wrong."""
        remote = self.remote()
        good = remote.initiator().initiation(remote.stamp())
        with self.drops(malformed=2, unchanged=[remote]):
            remote.send(wireguard.add_macs(good[:115], self.engine.key.public))
            remote.send(wireguard.add_macs(good[:116] + b"\0", self.engine.key.public))
        self.assert_works(remote, remote.handshake())

    def test_reserved_bytes_must_be_zero(self):
        remote = self.remote()
        session = remote.handshake()
        good = [remote.initiator().initiation(remote.stamp()), bytes([RESPONSE]) + bytes(91),
                bytes([COOKIE_REPLY]) + bytes(63), session.seal(remote.packet_out())]
        with self.drops(malformed=24, unchanged=[remote]):
            for message in good:
                for bit in (0, 7, 8, 15, 16, 23):
                    bad = wireguard.flip(message, "reserved", bit)
                    if message[0] in (INITIATION, RESPONSE):
                        bad = wireguard.with_macs(bad, self.engine.key.public)
                    remote.send(bad)
        self.assert_works(remote, session)

    def test_unknown_types(self):
        remote = self.remote()
        good = remote.initiator().initiation(remote.stamp())
        numbers = (0, 5, 6, 127, 128, 254, 255)
        with self.drops(malformed=3 * len(numbers), unchanged=[remote]):
            for number in numbers:
                for length in (148, 92, 32):
                    remote.send(wireguard.with_macs(bytes([number]) + good[1:length], self.engine.key.public))
        self.assert_works(remote, remote.handshake())

    def test_the_engines_own_initiation_reflected(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        with self.drops(bad_mac1=1, bad_handshake=1, unchanged=[remote]):
            remote.send(initiation)
            remote.send(wireguard.with_macs(initiation, self.engine.key.public))
        responder = remote.responder(initiation)
        remote.send(responder.response())
        _, plain = responder.session.open(remote.receive())
        self.assertEqual(packet, plain[:len(packet)])

    def test_the_engines_own_response_reflected(self):
        remote = self.remote()
        initiator = remote.initiator()
        remote.send(initiator.initiation(remote.stamp()))
        response = remote.receive()
        session = initiator.finish(response)
        with self.drops(bad_mac1=1, unknown_index=1, unchanged=[remote]):
            remote.send(response)
            remote.send(wireguard.with_macs(response, self.engine.key.public))
        self.assert_works(remote, session)

    def test_wrong_preshared_key(self):
        """The engine answers, for it cannot know; but what we send with the keys that we then have it refuses."""
        remote = self.remote(psk=True)
        for psk in (wireguard.NO_PSK, os.urandom(32)):
            initiator = remote.initiator(psk=psk)
            remote.send(initiator.initiation(remote.stamp()))
            response = remote.receive()
            session = initiator.believe(response)
            with self.assertRaises(wireguard.Refused):
                remote.initiator(psk=psk, index=initiator.index).finish(response)
            with self.drops(forged=2, unchanged=[remote]):
                remote.send(session.seal())
                remote.send(session.seal(remote.packet_out()))
        self.assertEqual([], self.engine.inner_waiting())
        self.assert_works(remote, remote.handshake())

    def test_preshared_key_is_that_of_the_peer(self):
        """Another peer's preshared key is a wrong one."""
        one, two = self.remote(psk=True), self.remote(psk=True)
        initiator = one.initiator(psk=two.psk)
        one.send(initiator.initiation(one.stamp()))
        with self.assertRaises(wireguard.Refused):
            initiator.finish(one.receive())
        self.assert_works(one, one.handshake())


class Sessions(EngineCase):
    """Which of several sessions are alive, seen from the side that did not begin them (section 6.3)."""

    def test_the_previous_session_still_receives(self):
        remote = self.remote()
        first = remote.handshake()
        second = remote.handshake()
        self.assert_delivers(remote, first)
        self.assert_works(remote, second)

    def test_the_one_before_the_previous_does_not(self):
        remote = self.remote()
        first = remote.handshake()
        second = remote.handshake()
        third = remote.handshake()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(first.seal(remote.packet_out()))
        self.assert_delivers(remote, second)
        self.assert_works(remote, third)

    def test_nor_with_one_that_is_not_confirmed_yet(self):
        """There are never more than two sessions, one of which may be unconfirmed."""
        remote = self.remote()
        first = remote.handshake()
        second = remote.handshake()
        third = remote.initiate()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(first.seal(remote.packet_out()))
        self.assert_works(remote, second)
        self.assert_works(remote, third)

    def test_an_unconfirmed_session_does_not_replace_the_current_one(self):
        remote = self.remote()
        first = remote.handshake()
        second = remote.initiate()
        self.assert_sends(remote, first)
        self.assert_works(remote, first)
        self.assert_delivers(remote, second)
        self.assert_sends(remote, second)

    def test_an_unconfirmed_session_is_replaced_by_a_newer_one(self):
        remote = self.remote()
        first = remote.handshake()
        second = remote.initiate()
        third = remote.initiate()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(second.seal(remote.packet_out()))
        self.assert_sends(remote, first)
        self.assert_delivers(remote, third)
        self.assert_sends(remote, third)

    def test_nothing_is_sent_in_a_session_before_its_first_packet_came(self):
        remote = self.remote(endpoint=True)
        packets = [remote.packet_in(b"one"), remote.packet_in(b"two"), remote.packet_in(b"three")]
        self.engine.inner_send(packets[0])
        self.assertEqual(INITIATION, wireguard.kind(remote.receive()))
        session = remote.initiate()
        for packet in packets[1:]:
            self.engine.inner_send(packet)
        with self.drops(malformed=1, unchanged=[remote]):
            remote.send(b"marker")
        self.assertEqual([], remote.waiting())
        remote.send(session.seal())
        for number, packet in enumerate(packets):
            counter, plain = session.open(remote.receive())
            self.assertEqual(number, counter)
            self.assertEqual(packet, plain[:len(packet)])
        self.assert_works(remote, session)

    def test_the_first_packet_confirms_at_once(self):
        """Its answer leaves in the new session: perhaps we have lost the old one."""
        remote = self.remote()
        remote.handshake()
        for _ in range(20):
            session = remote.initiate()
            self.assert_works(remote, session)

    def test_a_forged_first_packet_confirms_nothing(self):
        remote = self.remote(endpoint=True)
        packet = remote.packet_in(b"staged")
        self.engine.inner_send(packet)
        remote.receive()
        session = remote.initiate()
        with self.drops(forged=1, unchanged=[remote]):
            keepalive = session.seal(counter=0)
            remote.send(keepalive[:-1] + bytes([keepalive[-1] ^ 1]))
        self.assertEqual([], remote.waiting())
        remote.send(session.seal())
        _, plain = session.open(remote.receive())
        self.assertEqual(packet, plain[:len(packet)])

    def test_both_begin_at_once(self):
        """The engine's initiation and ours cross. Ours is answered; whichever session stays, packets pass both ways."""
        for answer_first in (False, True):
            with self.subTest(answer_first=answer_first):
                remote = self.remote(endpoint=True)
                theirs, packet = remote.provoke()
                ours, responder = remote.initiator(), remote.responder(theirs)
                initiation, response = ours.initiation(remote.stamp()), responder.response()
                for message in (response, initiation) if answer_first else (initiation, response):
                    remote.send(message)
                sessions = {responder.session.local: responder.session}
                arrived, early = [], []
                while len(sessions) < 2:
                    datagram = remote.receive()
                    if wireguard.kind(datagram) == RESPONSE:
                        session = ours.finish(datagram)
                        sessions[session.local] = session
                        remote.send(session.seal())
                    else:
                        early.append(datagram)
                while packet not in arrived:
                    datagram = early.pop(0) if early else remote.receive()
                    receiver, = struct.unpack("<I", datagram[4:8])
                    _, plain = sessions[receiver].open(datagram)
                    arrived.append(plain[:len(packet)])
                self.assert_works(remote, session)
