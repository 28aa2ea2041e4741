# SPDX-License-Identifier: MIT
"""Out of memory: every allocation of an engine's life fails once, those of its libraries too. It says that it cannot start, or
refuses what it was asked and does it when it is asked again, or loses a packet; it never crashes, hangs or lies.
"""
import contextlib
import subprocess
import unittest

import wireguard
from case import Remote
from engine import Engine, counts_drops, ip, wait_until
from faults import Faults
from wireguard import Key

PEERS = 3
PREFIXES = 20
SOON = 0.3  # a packet that is not lost is there by then
ENDS = 0.5  # one that cannot start has ended by then
LATER = 6.0  # the engine's next attempt at a handshake


@unittest.skipUnless(counts_drops, "another engine need not survive this")
class MemoryTest(unittest.TestCase):
    def setUp(self):
        self.faults = Faults()
        self.addCleanup(self.faults.remove)
        self.addCleanup(Engine.stop_all)

    def again(self, action, attempts):
        """Asked so often, it works."""
        for _ in range(attempts - 1):
            if not self.engine.alive():
                break
            try:
                return action()
            except (AssertionError, OSError, ValueError, wireguard.Refused):
                pass
        self.assertTrue(self.engine.alive(), self.engine.said())
        return action()

    def lines(self, remote):
        yield f"public_key={remote.key.public.hex()}"
        yield f"endpoint={remote.endpoint()}"
        yield f"allowed_ip={remote.inner4}/32"
        for number in range(PREFIXES):
            yield f"allowed_ip=10.{100 + self.remotes.index(remote)}.{number}.0/24"

    def configure(self):
        """All peers at once. What a refused set left is part of what was wanted, and is reported as such."""
        self.engine.set(*(line for remote in self.remotes for line in self.lines(remote)))

    def check_state(self, complete):
        wanted = {remote.key.public: set(line[11:] for line in self.lines(remote) if line.startswith("allowed_ip="))
                  for remote in self.remotes}
        peers = self.engine.get().peers
        for public, peer in peers.items():
            self.assertLessEqual(set(peer.get("allowed_ip", [])), wanted[public])
        if complete:
            self.assertEqual(wanted, {public: set(peer["allowed_ip"]) for public, peer in peers.items()})

    def configure_and_check(self):
        try:
            self.configure()
        finally:
            self.again(lambda: self.check_state(False), self.attempts)
        self.check_state(True)

    def shake(self, remote):
        initiator = remote.initiator()
        remote.send(initiator.initiation(remote.stamp()))
        session = initiator.finish(remote.receive(SOON))
        packet = remote.packet_out(b"in")
        remote.send(session.seal(packet))
        self.assertEqual(packet, self.engine.inner_receive(SOON))
        packet = remote.packet_in(b"out")
        self.engine.inner_send(packet)
        _, plain = session.open(remote.receive(SOON))
        self.assertEqual(packet, plain[:len(packet)])

    def answer(self, remote):
        """The engine initiates, since something waits."""
        self.engine.inner_send(remote.packet_in(b"staged"))
        responder = remote.responder(remote.receive(LATER))
        remote.send(responder.response())
        responder.session.open(remote.receive(SOON))
        remote.waiting()

    def live(self):
        """The engine's exit status, and what it said."""
        identity = f"private_key={self.engine.key.private.hex()}", f"listen_port={self.engine.port}"
        try:
            self.engine.launch()
            self.engine.set(*identity)
        except (AssertionError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.engine.process.wait(ENDS)
                return self.engine.stop()
            self.again(lambda: self.engine.set(*identity), self.attempts)
        ip("link", "set", self.engine.name, "up")
        wait_until(self.engine.listens, "the UDP port is open")
        self.engine.inner = self.engine._inner_socket()
        self.again(self.configure_and_check, self.attempts)
        self.again(lambda: self.shake(self.remotes[0]), self.attempts)
        self.again(lambda: self.answer(self.remotes[1]), self.attempts)
        self.again(self.remotes[0].remove, self.attempts)
        state = self.again(self.engine.get, self.attempts)
        self.assertEqual({remote.key.public for remote in self.remotes[1:]}, set(state.peers))
        self.assertTrue(self.engine.alive())
        status, said = self.engine.stop()
        self.assertEqual(0, status, said)
        return status, said

    def fail_each(self, width):
        """So many at a time, from the first to the last. Those of libseccomp are spared: 2.5.4 frees twice then, runs in circles, or
        makes a filter that forbids everything, and the engine does not start."""
        environment = self.faults.environment | {"FAULTS_SPARED": "libseccomp"}
        self.attempts = width + 2
        number, started = 1 - width, 0
        while number < 1 or self.faults["allocs"] >= number:
            number += width
            self.engine = Engine(Key(), environment)
            self.remotes = [Remote(self.engine, known=False) for _ in range(PEERS)]
            self.faults["allocs"] = 0
            self.faults["alloc_first"] = number
            self.faults["alloc_last"] = number + width - 1
            with self.subTest(number=number):
                status, said = self.live()
                self.assertIn(status, (0, 1), said)
                if status:
                    self.assertRegex(said, "(?m)^wgengine: .*[a-z]")
                started += status == 0
            for remote in self.remotes:
                for one in remote.sockets:
                    one.close()
        self.assertGreater(started * width, PEERS * PREFIXES)

    def test_one_allocation_fails(self):
        self.fail_each(1)

    def test_ten_allocations_fail(self):
        self.fail_each(10)
