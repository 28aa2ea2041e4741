# SPDX-License-Identifier: MIT
"""A storm of datagrams that are not right: the engine outlives it, says nothing, and loses no session."""
import os
import random
import struct

import wireguard
from case import NOISE, EngineCase
from engine import counts_drops, wait_until

STORM = 20000
BURST = 400


class Garbage(EngineCase):
    """CONFORMANCE_SEED repeats a storm; what is random in handshakes is not repeated."""

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("CONFORMANCE_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
        self.random = random.Random(self.seed)

    def dropped(self):
        return sum(count for reason, count in self.engine.get().drops().items() if reason not in NOISE)

    def originals(self, remote):
        """(A session, and one of each message, all of them used up, so that no mutation of them can be right.)"""
        initiator = remote.initiator()
        initiation = initiator.initiation(remote.stamp())
        remote.send(initiation)
        answer = remote.receive()
        session = initiator.finish(answer)
        with remote.confirmed():
            remote.send(session.seal())
        response = wireguard.with_macs(answer, self.engine.key.public)
        cookie = wireguard.make_cookie_reply(answer, remote.key.public, bytes(16))
        data = [session.seal(remote.packet_out(bytes(length))) for length in (0, 100, 1380)]
        for datagram in data:
            remote.send(datagram)
            self.engine.inner_receive()
        return session, [initiation, response, cookie, *data]

    def mutant(self, message, public):
        """Differs from the message in a part that counts."""
        bits = bytearray(message)
        choice = self.random.randrange(6)
        end = len(bits) if message[0] in (wireguard.COOKIE_REPLY, wireguard.DATA) else len(bits) - 16
        if choice == 0:
            del bits[self.random.randrange(len(bits)):]
        elif choice == 1:
            bits += self.random.randbytes(self.random.randrange(1, 64))
        elif choice == 2:
            where = self.random.randrange(end - 8)
            bits[where:where + 8] = self.random.randbytes(8)
        else:
            for _ in range(self.random.choice((1, 1, 2, 8))):
                where = self.random.randrange(end)
                bits[where] ^= 1 << self.random.randrange(8)
        made = bytes(bits)
        if made == message:  # turned twice
            return self.mutant(message, public)
        if message[0] <= 2 and len(made) == len(message) and self.random.random() < 0.5:
            made = wireguard.with_macs(made, public)
        return made

    def noise(self):
        length = self.random.choice((0, 1, 3, 4, 16, 31, 32, 33, 64, 92, 148, 1452, self.random.randrange(2000)))
        made = self.random.randbytes(length)
        if self.random.random() < 0.7:
            made = (struct.pack("<I", self.random.randrange(6)) + made)[:length]
        return made

    def test_storm(self):
        remote, other = self.remote(), self.remote(psk=True)
        others = other.handshake()
        session, originals = self.originals(remote)
        kept = remote.settled(), other.settled()
        started = before = self.dropped()
        sockets = [remote.socket, remote.new_socket(), other.new_socket(host="127.0.0.80")]
        for _ in range(STORM // BURST):
            for _ in range(BURST):
                if self.random.random() < 0.3:
                    datagram = self.noise()
                else:
                    datagram = self.mutant(self.random.choice(originals), self.engine.key.public)
                remote.send(datagram, self.random.choice(sockets))
            if counts_drops:
                wait_until(lambda: self.dropped() >= before + BURST,
                           lambda: f"each of {BURST} is dropped and counted (CONFORMANCE_SEED={self.seed})")
                before = self.dropped()
        if counts_drops:
            self.assertEqual(STORM, before - started, f"CONFORMANCE_SEED={self.seed}")
        self.assertEqual([], self.engine.inner_waiting())
        self.assert_same(kept, (remote.settled(), other.settled()))
        for one in (*sockets, other.socket):
            for datagram in remote.waiting(one):
                self.assertEqual(wireguard.COOKIE_REPLY, wireguard.kind(datagram), "only under load anything is answered")
        self.assert_delivers(remote, session)
        self.assert_works(other, others)
        self.assertEqual("", self.engine.said() if counts_drops else "")

    def assert_same(self, before, after):
        self.assertEqual(before, after, f"CONFORMANCE_SEED={self.seed}")

    def test_noise_through_the_interface(self):
        """Whatever the host sends into the tunnel goes out as it is, or not at all."""
        remote = self.remote()
        session = remote.handshake()
        for _ in range(2000):
            packet = self.random.randbytes(self.random.choice((1, 19, 20, 21, 39, 40, 41, 100, 1420)))
            if self.random.random() < 0.8:
                packet = bytes([self.random.choice((0x45, 0x60, 0x4F, 0x40))]) + packet[1:]
            self.engine.inner_send(packet)
        self.assert_works(remote, session)

    def test_inner_garbage(self):
        """Authentic data with random contents: dropped, or delivered where it happens to be right."""
        remote = self.remote()
        session = remote.handshake()
        good = [remote.packet_out(bytes(40)), remote.packet_out6(bytes(40))]
        before = self.dropped()
        delivered = 0
        for _ in range(10):
            for _ in range(200):
                packet = bytearray(self.random.choice(good))
                for _ in range(self.random.choice((1, 2, 4))):
                    packet[self.random.randrange(20)] ^= 1 << self.random.randrange(8)
                del packet[self.random.choice((len(packet), self.random.randrange(1, len(packet)))):]
                remote.send(session.seal(bytes(packet), pad=bool(self.random.randrange(2))))
            sent = 200
            if counts_drops:
                def all_done():
                    nonlocal delivered
                    delivered += len(self.engine.inner_waiting())
                    return self.dropped() - before + delivered == sent
                wait_until(all_done, f"each is delivered or dropped (CONFORMANCE_SEED={self.seed})")
                before, delivered = self.dropped(), 0
            self.engine.inner_waiting()
        self.assert_works(remote, session)
