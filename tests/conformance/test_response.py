# SPDX-License-Identifier: MIT
"""The engine as the initiator: what it sends, and which responses it takes (whitepaper, sections 5.4.2, 5.4.3, 5.4.5)."""
import os
import socket
import struct
import time

import wireguard
from case import EngineCase
from wireguard import LOW_ORDER_POINTS, Key, LowOrderKey


class Response(EngineCase):
    def assert_established(self, remote, session, packet):
        """What waited for the handshake comes first."""
        counter, plain = session.open(remote.receive())
        self.assertEqual(0, counter)
        self.assertEqual(packet, plain[:len(packet)])
        self.assert_works(remote, session)

    def finish(self, remote, responder, packet):
        remote.send(responder.response())
        self.assert_established(remote, responder.session, packet)

    def test_initiation_is_made_as_specified(self):
        remote = self.remote(endpoint=True)
        initiation, _ = remote.provoke()
        now = time.time_ns()
        responder = remote.responder(initiation)
        self.assertEqual(self.engine.key.public, responder.remote_public)
        self.assertEqual(wireguard.NO_MAC, initiation[-16:])
        nanoseconds, = struct.unpack(">I", responder.timestamp[8:])
        self.assertLess(nanoseconds, 10**9)
        self.assertEqual(0, nanoseconds % 2**24, "the time stamp tells more of the clock than it needs to")
        age = now - wireguard.from_tai64n(responder.timestamp)
        self.assertLess(-10**8, age)
        self.assertLess(age, 2 * 10**9)

    def test_initiations_share_nothing(self):
        initiations = [self.remote(endpoint=True).provoke()[0] for _ in range(4)]
        for where in (slice(4, 8), slice(8, 40), slice(40, 88)):
            self.assertEqual(4, len({initiation[where] for initiation in initiations}))

    def test_good_response(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        self.finish(remote, remote.responder(initiation), packet)

    def test_good_response_with_preshared_key(self):
        remote = self.remote(endpoint=True, psk=True)
        initiation, packet = remote.provoke()
        self.finish(remote, remote.responder(initiation), packet)

    def test_good_response_over_ipv6(self):
        remote = self.remote(endpoint=True, family=socket.AF_INET6)
        initiation, packet = remote.provoke()
        self.finish(remote, remote.responder(initiation), packet)

    def test_a_keepalive_confirms_where_nothing_waits(self):
        remote = self.remote(endpoint=True, keepalive=600)
        responder = remote.responder(remote.receive())
        remote.send(responder.response())
        datagram = remote.receive()
        session = responder.session
        if len(datagram) > wireguard.KEEPALIVE_LENGTH:
            self.fail("data came, where nothing was sent")
        self.assertEqual(0, self.assert_keepalive(session, datagram))
        self.assert_works(remote, session)

    def test_any_index(self):
        for index in (0, 0xFFFFFFFF):
            remote = self.remote(endpoint=True)
            initiation, packet = remote.provoke()
            self.finish(remote, remote.responder(initiation, index=index), packet)

    def test_all_that_waits_is_sent_in_order(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        packets = [packet] + [remote.packet_in(b"%d" % number) for number in range(100)]
        for packet in packets[1:]:
            self.engine.inner_send(packet)
        responder = remote.responder(initiation)
        remote.send(responder.response())
        for number, packet in enumerate(packets):
            counter, plain = responder.session.open(remote.receive())
            self.assertEqual(number, counter)
            self.assertEqual(packet, plain[:len(packet)])

    def test_replayed_response(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder = remote.responder(initiation)
        response = responder.response()
        remote.send(response)
        self.assert_established(remote, responder.session, packet)
        with self.drops(unknown_index=2, unchanged=[remote]):
            remote.send(response)
            remote.send(response, remote.new_socket())
        self.assert_works(remote, responder.session)

    def test_second_response_to_one_initiation(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        first, second = remote.responder(initiation), remote.responder(initiation)
        self.finish(remote, first, packet)
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(second.response())
        self.assert_works(remote, first.session)
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(second.session.seal(remote.packet_out(), receiver=second.remote_index ^ 1))
        with self.drops(forged=1, unchanged=[remote]):
            remote.send(second.session.seal(remote.packet_out()))

    def test_unknown_index(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder, lost = remote.responder(initiation), remote.responder(initiation)
        lost.remote_index ^= 1 << 31
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(lost.response())
        self.finish(remote, responder, packet)

    def test_index_of_another_peers_handshake(self):
        one, two = self.remote(endpoint=True), self.remote(endpoint=True)
        (first, packet1), (second, packet2) = one.provoke(), two.provoke()
        lost = one.responder(first)
        lost.remote_index, = struct.unpack("<I", second[4:8])
        with self.drops(bad_handshake=1, unchanged=[one, two]):
            one.send(lost.response())
        self.finish(one, one.responder(first), packet1)
        self.finish(two, two.responder(second), packet2)

    def test_response_to_the_index_of_a_session(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        self.finish(remote, remote.responder(initiation), packet)
        other = self.remote()
        session = other.handshake()
        lost = remote.responder(initiation)
        lost.remote_index = session.remote
        with self.drops(unknown_index=1, unchanged=[remote, other]):
            remote.send(lost.response())
        self.assert_works(other, session)

    def test_a_turned_bit_in_each_field(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder = remote.responder(initiation)
        good = responder.response()
        with self.drops(bad_mac1=5, unchanged=[remote]):
            for field in ("sender", "receiver", "ephemeral", "nothing", "mac1"):
                remote.send(wireguard.flip(good, field, 5))
        with self.drops(bad_handshake=3, unknown_index=1, unchanged=[remote]):
            for field, bit in (("receiver", 5), ("ephemeral", 5), ("nothing", 0), ("nothing", 127)):
                remote.send(wireguard.with_macs(wireguard.flip(good, field, bit), self.engine.key.public))
        remote.send(good)
        self.assert_established(remote, responder.session, packet)

    def test_low_order_ephemeral(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        for name, point in LOW_ORDER_POINTS.items():
            with self.subTest(name), self.drops(bad_handshake=1, unchanged=[remote]):
                remote.send(remote.responder(initiation, ephemeral=LowOrderKey(point)).response())
        self.finish(remote, remote.responder(initiation), packet)

    def test_wrong_preshared_key(self):
        remote = self.remote(endpoint=True, psk=True)
        initiation, packet = remote.provoke()
        for psk in (wireguard.NO_PSK, os.urandom(32)):
            responder = remote.responder(initiation, psk=psk)
            with self.drops(bad_handshake=1, unchanged=[remote]):
                remote.send(responder.response())
            with self.drops(unknown_index=1, unchanged=[remote]):
                remote.send(responder.session.seal(remote.packet_out()))
        self.assertEqual([], remote.waiting())
        self.finish(remote, remote.responder(initiation), packet)

    def test_another_static_key(self):
        """Somebody who saw the initiation, and knows our public key, but not the private one."""
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        imposter = remote.responder(initiation)
        imposter.remote_public = Key().public  # any other secret than that of our static keys
        response = wireguard.with_macs(imposter.response(), self.engine.key.public)
        with self.drops(bad_handshake=1, unchanged=[remote]):
            remote.send(response)
        self.finish(remote, remote.responder(initiation), packet)

    def test_data_before_the_response(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder = remote.responder(initiation)
        response = responder.response()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(responder.session.seal(remote.packet_out()))
        remote.send(response)
        self.assert_established(remote, responder.session, packet)

    def test_a_peer_of_low_order_gets_nothing(self):
        """It may be configured, but there is nobody who could be talked to."""
        remote = self.remote(endpoint=True)
        nobody = self.remote(known=False)
        nobody.key = LowOrderKey(bytes(32))
        nobody.introduce(endpoint=True)
        self.engine.inner_send(nobody.packet_in())
        remote.engine_handshake()
        self.assertEqual([], nobody.waiting())

    def test_reflected_data(self):
        """Both sides may have chosen the same index; the keys of the two ways differ."""
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder = remote.responder(initiation, index=struct.unpack("<I", initiation[4:8])[0])
        self.finish(remote, responder, packet)
        self.engine.inner_send(packet)
        datagram = remote.receive()
        with self.drops(forged=1, unchanged=[remote]):
            remote.send(datagram)
        self.assert_works(remote, responder.session)

    def test_the_engines_sessions(self):
        """What it began itself: the previous one still receives, and so does one that we begin."""
        remote = self.remote(endpoint=True)
        first = remote.engine_handshake()
        second = remote.handshake()
        self.assert_delivers(remote, first)
        self.assert_works(remote, second)
        third = remote.handshake()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(first.seal(remote.packet_out()))
        self.assert_works(remote, third)
