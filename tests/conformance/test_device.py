# SPDX-License-Identifier: MIT
"""What changes of the device and of its peers do to sessions."""
import errno
import os
import socket

import wireguard
from case import EngineCase
from engine import SOCKETS, Engine, counts_drops, ip, wait_until
from wireguard import INITIATION, Key


class DeviceCase(EngineCase):
    """Every test has an engine of its own, since it changes it."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.engine = Engine(Key())
        self.engine.start()
        self.addCleanup(self.stop)
        super().setUp()

    def stop(self):
        status, said = self.engine.stop()
        self.assertEqual(0, status, said)
        if counts_drops:
            self.assertEqual("", said)


class Identity(DeviceCase):
    def change_key(self, key):
        self.engine.set(f"private_key={key.private.hex()}")
        self.engine.key = key

    def test_a_new_private_key_ends_the_sending_in_old_sessions(self):
        remote = self.remote()
        old = remote.handshake()
        self.assert_works(remote, old)
        self.change_key(Key())
        # Either the engine begins anew by itself, or with the next packet.
        self.engine.inner_send(remote.packet_in(b"after"))
        initiation = remote.receive()
        self.assertEqual(INITIATION, wireguard.kind(initiation))
        responder = remote.responder(initiation)
        self.assertEqual(self.engine.key.public, responder.remote_public)
        remote.send(responder.response())
        packets = [remote.packet_in(b"after"), b""]
        got = [responder.session.open(remote.receive())[1]]
        if got == [b""]:
            got.append(responder.session.open(remote.receive())[1])
        self.assertEqual(packets[0], got[-1][:len(packets[0])])
        self.assert_works(remote, responder.session)

    def test_a_new_private_key_makes_initiations_to_the_old_one_strangers(self):
        remote = self.remote()
        remote.handshake()
        old = self.engine.key
        self.change_key(Key())
        lost = wireguard.Initiator(remote.key, old.public).initiation(remote.stamp())
        with self.drops(bad_mac1=1, bad_handshake=1):
            remote.send(lost)
            remote.send(wireguard.with_macs(lost, self.engine.key.public))
        remote.waiting()  # the engine may have begun by itself
        session = remote.initiator()
        remote.send(session.initiation(remote.stamp()))
        session = session.finish(remote.receive())
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_the_same_private_key_again_changes_nothing(self):
        """Tools send it with every reload. A private key may be written with the bits that its use clears or sets."""
        raw = bytearray(self.engine.key.private)
        raw[0] |= 7
        raw[31] |= 128
        clamped = bytearray(raw)
        clamped[0] &= 248
        clamped[31] = clamped[31] & 127 | 64
        for name, private in (("clamped", clamped), ("not clamped", raw)):
            with self.subTest(name):
                self.change_key(Key(bytes(private)))
                remote = self.remote()
                session = remote.handshake()
                self.change_key(self.engine.key)
                self.assert_works(remote, session)

    def test_time_stamps_outlive_a_change_of_key(self):
        """An initiation is bound to the key it was made for, so an old one proves nothing; but the peer's newest time
        stamp stays what it was."""
        remote = self.remote()
        remote.handshake()
        stamp = wireguard.tai64n(remote.clock)
        self.change_key(Key())
        remote.stamp()
        with self.drops(old_initiation=1):
            remote.send(remote.initiator().initiation(stamp))

    def test_without_a_private_key(self):
        remote = self.remote()
        remote.handshake()
        self.engine.set(f"private_key={bytes(32).hex()}")
        with self.drops(no_identity=2, unchanged=[remote]):
            remote.send(remote.initiator().initiation(remote.stamp()))
            remote.send(bytes([wireguard.RESPONSE]) + bytes(91))
        self.change_key(self.engine.key)
        remote.waiting()
        initiator = remote.initiator()
        remote.send(initiator.initiation(remote.stamp()))
        session = initiator.finish(remote.receive())
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_a_peer_with_the_new_key_of_the_device_goes(self):
        remote, twin = self.remote(), self.remote()
        session = remote.handshake()
        twin.handshake()
        self.engine.set(f"private_key={twin.key.private.hex()}")
        self.assertNotIn(twin.key.public, self.engine.get().peers)
        self.assertIn(remote.key.public, self.engine.get().peers)
        self.assert_delivers(remote, session)


class Peers(DeviceCase):
    def test_the_session_of_a_removed_peer_is_unknown(self):
        remote, other = self.remote(), self.remote()
        session, others = remote.handshake(), other.handshake()
        remote.remove()
        with self.drops(unknown_index=1, unknown_peer=1, unchanged=[other]):
            remote.send(session.seal(remote.packet_out()))
            remote.send(remote.initiator().initiation(remote.stamp()))
        with self.drops(no_peer=1):
            self.engine.inner_send(remote.packet_in())
        self.assertEqual([], remote.waiting())
        self.assert_works(other, others)

    def test_the_response_to_a_removed_peer_is_unknown(self):
        remote, other = self.remote(endpoint=True), self.remote()
        initiation, _ = remote.provoke()
        remote.remove()
        remote.introduce(endpoint=True)
        with self.drops(unknown_index=1, unchanged=[remote, other]):
            remote.send(remote.responder(initiation).response())
        self.assert_works(remote, remote.handshake())

    def test_a_peer_that_is_back_starts_from_nothing(self):
        remote = self.remote()
        old = remote.handshake()
        stamp = wireguard.tai64n(remote.clock)
        remote.remove()
        remote.introduce()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(old.seal(remote.packet_out()))
        initiator = remote.initiator()
        remote.send(initiator.initiation(stamp))
        session = initiator.finish(remote.receive())
        remote.send(session.seal())
        self.assert_works(remote, session)

    def test_setting_a_peer_again_keeps_its_session(self):
        remote = self.remote(psk=True)
        session = remote.handshake()
        remote.introduce(endpoint=True)
        self.assert_works(remote, session)

    def test_a_new_preshared_key_is_for_the_next_handshake(self):
        remote = self.remote()
        session = remote.handshake()
        remote.psk = os.urandom(32)
        remote.change(f"preshared_key={remote.psk.hex()}")
        self.assert_works(remote, session)
        self.assert_works(remote, remote.handshake())

    def test_without_allowed_ips(self):
        remote = self.remote()
        session = remote.handshake()
        remote.change("replace_allowed_ips=true")
        with self.drops(inner_source=2):
            remote.send(session.seal(remote.packet_out()))
            remote.send(session.seal(remote.packet_out6()))
        with self.drops(no_peer=1):
            self.engine.inner_send(remote.packet_in())
        remote.introduce()
        self.assert_works(remote, session)


class Link(DeviceCase):
    def test_down_closes_the_socket_and_ends_sessions(self):
        remote = self.remote()
        old = remote.handshake()
        last = wireguard.tai64n(remote.clock)
        self.assertTrue(self.engine.listens(socket.AF_INET6))
        self.engine.down()
        self.assertFalse(self.engine.listens(socket.AF_INET6))
        self.engine.up()
        remote.waiting()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(old.seal(remote.packet_out()))
        remote.stamp()
        with self.drops(old_initiation=1, unchanged=[remote]):
            remote.send(remote.initiator().initiation(last))
        self.assert_works(remote, remote.handshake())

    def test_down_forgets_a_handshake_that_is_under_way(self):
        remote = self.remote(endpoint=True)
        initiation, _ = remote.provoke()
        self.engine.down()
        self.engine.up()
        response = remote.responder(initiation).response()
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(response)
        remote.waiting()
        self.assert_works(remote, remote.handshake())

    def test_a_new_port_keeps_the_session(self):
        remote = self.remote()
        session = remote.handshake()
        old = self.engine.address()
        self.engine.port += 500
        self.engine.set(f"listen_port={self.engine.port}")
        self.assert_works(remote, session)
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(probe.close)
        probe.connect(old)

        def refused():
            try:
                probe.send(b"?")
            except ConnectionRefusedError:
                return True
            return False

        wait_until(refused, "the old port is closed")

    def test_a_port_that_is_taken(self):
        remote = self.remote()
        session = remote.handshake()
        taken = remote.new_socket()
        with self.assertRaisesRegex(AssertionError, f"errno=-?{errno.EADDRINUSE}"):
            self.engine.set(f"listen_port={taken.getsockname()[1]}")
        if counts_drops:
            self.assert_works(remote, session)

    def test_it_ends_when_the_interface_is_deleted(self):
        ip("link", "delete", self.engine.name)
        self.assertEqual(0, self.engine.process.wait(10))
        self.assertFalse((SOCKETS / f"{self.engine.name}.sock").exists())
