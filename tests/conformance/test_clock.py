# SPDX-License-Identifier: MIT
"""The time stamps of initiations while the engine's wall clock is set back and forth, and over restarts: they only grow.
The machine's clock is left alone: see faults.py.
"""
import random
import time
import unittest

import wireguard
from case import INITIATION_INTERVAL, Remote
from engine import Engine, counts_drops
from faults import Faults
from wireguard import Key

HOUR = 3600


@unittest.skipUnless(counts_drops, "another engine reads its clock past the library")
class ClockTest(unittest.TestCase):
    def setUp(self):
        self.faults = Faults()
        self.addCleanup(self.faults.remove)
        self.engine = Engine(Key(), self.faults.environment | {"WG_STATE_FILE": str(self.faults.folder / "state")})
        self.engine.start()
        self.addCleanup(Engine.stop_all)
        self.key = Key()

    def set_clock(self, ahead):
        self.faults["clock"] = ahead

    def stamp(self):
        """Of an initiation of now. Another would be refused within 20 ms, which is also as fine as time stamps are."""
        time.sleep(INITIATION_INTERVAL)
        remote = Remote(self.engine, endpoint=True, key=self.key)
        initiation, _ = remote.provoke()
        stamp = wireguard.from_tai64n(remote.responder(initiation).timestamp)
        remote.close()
        return stamp

    def test_follows_the_wall_clock(self):
        self.assertAlmostEqual(time.time(), self.stamp() / 1e9, delta=1)
        self.set_clock(HOUR)
        self.assertAlmostEqual(time.time() + HOUR, self.stamp() / 1e9, delta=1)

    def test_set_back_it_goes_on(self):
        first, began = self.stamp(), time.monotonic()
        self.set_clock(-HOUR)
        second = self.stamp()
        self.assertGreater(second, first)
        self.assertLess(second - first, (time.monotonic() - began + 1) * 1e9)

    def test_only_grows(self):
        draw = random.Random(1)
        last = 0
        for _ in range(60):
            self.set_clock(draw.choice((-10**9, -HOUR, -1, 0, 1, 2, 3)))
            stamp = self.stamp()
            self.assertGreater(stamp, last)
            last = stamp

    def test_only_grows_over_restarts(self):
        last = 0
        for ahead in (HOUR, 0, -HOUR, -10**9, 0):
            self.set_clock(ahead)
            stamp = self.stamp()
            self.assertGreater(stamp, last)
            last = stamp
            self.engine.process.kill()
            self.engine.process.wait()
            self.engine.stop()
            self.engine.start()
