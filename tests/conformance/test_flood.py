# SPDX-License-Identifier: MIT
"""Floods: what brings an engine under load and what does not, from any number of addresses (whitepaper, section 5.3)."""
import collections
import os
import pathlib
import socket
import struct
import time
import unittest

import wireguard
from case import FLOOD, EngineCase, LoadedCase, garbage
from engine import ROOM, SO_RCVBUFFORCE, counts_drops, ip, wait_until
from wireguard import COOKIE_REPLY, INITIATION, LENGTH, RESPONSE

IP_PKTINFO, IPV6_PKTINFO, IPV6_FREEBIND = 8, 50, 78
NET4, NET6 = "10.64.0.0/10", "fd0c::/32"  # all of their addresses are ours
NICE = 5
MEMORY = 4 << 10  # KiB


def drops(engine):
    return collections.Counter(engine.get().drops())


class ManyAddresses:
    """One socket that sends from any of the addresses, and gets what is sent to them."""

    def __init__(self, family):
        self.family = family
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self.socket.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))
        self.socket.settimeout(5)

    def send(self, datagram, number, engine):
        """number: of the address; for IPv6 that of the /64 and, below 2^16, that in it."""
        if self.family == socket.AF_INET:
            address = struct.pack(">II", (10 << 24) + (64 << 16) + number, 0)
            info = socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=I", 0) + address
        else:
            address = bytes.fromhex("fd0c0000") + struct.pack(">IIHH", number >> 16, 0, 0, number & 0xffff)
            info = socket.IPPROTO_IPV6, IPV6_PKTINFO, address + struct.pack("=I", 0)
        self.socket.sendmsg([datagram], [info], 0, engine.address(self.family))


class Forged(LoadedCase):
    """Who does not know the engine's public key, or an index of its own choice, cannot bring it under load."""

    def assert_no_load(self, reason, messages):
        remote = self.remote()
        session = remote.handshake()
        initiator = remote.initiator()
        initiation, packet = initiator.initiation(remote.stamp()), remote.packet_out()
        with self.drops(**{reason: len(messages)}):
            with self.engine.stopped():
                for message in messages:
                    self.flooder.sendto(message, self.engine.address())
                remote.send(session.seal(packet))
                remote.send(initiation)
            self.assertEqual(packet, self.engine.inner_receive())
            session = initiator.finish(remote.receive())
        self.assert_delivers(remote, session)

    def test_a_wrong_mac1(self):
        body = struct.pack("<I", INITIATION)
        self.assert_no_load("bad_mac1", [body + os.urandom(LENGTH[INITIATION] - 4) for _ in range(FLOOD)])

    def test_responses_to_nobody(self):
        self.assert_no_load("unknown_index", [garbage(RESPONSE, self.engine.key.public) for _ in range(FLOOD)])

    def test_responses_to_a_session(self):
        remote = self.remote()
        session = remote.handshake()
        body = struct.pack("<III", RESPONSE, 1, session.remote)
        self.assert_no_load("unknown_index", [wireguard.add_macs(body + os.urandom(48), self.engine.key.public)
                                              for _ in range(FLOOD)])

    def test_cookie_replies_to_nobody(self):
        self.assert_no_load("unknown_index", [struct.pack("<I", COOKIE_REPLY) + os.urandom(60) for _ in range(FLOOD)])


@unittest.skipUnless(counts_drops, "only counters tell when what was sent is done with")
class Wasted(EngineCase):
    def done_with(self):
        done = drops(self.engine)
        return done["bad_handshake"] + done["cookie_demanded"]

    def test_the_workers_come_first(self):
        """The first thread is the one for handshakes; the scheduler gives it less than the others."""
        pid, nice = self.engine.process.pid, {}
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            nice[int(task.name)] = int((task / "stat").read_text().rsplit(")", 1)[1].split()[16])
        control = nice.pop(pid)
        self.assertTrue(nice)
        self.assertEqual({control - NICE}, set(nice.values()))

    def test_a_flood_that_never_fills_the_queue_is_a_load_too(self):
        """Garbage with a right MAC1 is sent as fast as it is worked off; before long it gets cookies instead."""
        remote = self.remote()
        before, count = self.done_with(), 0
        while not drops(self.engine)["cookie_demanded"]:
            self.assertLess(count, 1000, "messages and no load yet")
            for _ in range(10):
                remote.send(garbage(INITIATION, self.engine.key.public))
            count += 10
            wait_until(lambda: self.done_with() - before >= count, "all is done with")
        remote.waiting()
        session = self.calm_session(remote)
        self.assert_delivers(remote, session)


@unittest.skipUnless(counts_drops, "only counters tell the rate limit from other losses")
class FromEverywhere(LoadedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for net in (NET4, NET6):
            ip("route", "add", "local", net, "dev", "lo")

    @classmethod
    def tearDownClass(cls):
        for net in (NET4, NET6):
            ip("route", "del", "local", net, "dev", "lo")
        super().tearDownClass()

    def many(self, family):
        many = ManyAddresses(family)
        self.addCleanup(many.socket.close)
        return many

    def cookies(self, many, numbers):
        """The cookie of each address: number -> cookie."""
        sent = {number: garbage(INITIATION, self.engine.key.public, number) for number in numbers}
        self.flood(*(lambda n=number: many.send(sent[n], n, self.engine) for number in numbers))
        found = {}
        while len(found) < len(sent):
            reply = many.socket.recv(2048)
            number, = struct.unpack("<I", reply[4:8])
            found[number] = wireguard.open_cookie_reply(reply, sent[number], self.engine.key.public)
        return found

    def test_the_addresses_of_a_64_share_a_limit(self):
        count = 40
        many = self.many(socket.AF_INET6)
        crowd, other = [(1 << 16) + i for i in range(1, count + 1)], (2 << 16) + 1
        cookies = self.cookies(many, [*crowd, other])
        remote = self.remote()
        initiator = remote.initiator()
        initiation = initiator.initiation(remote.stamp(), cookies[other])
        before, began = drops(self.engine), time.monotonic()
        self.flood(*(lambda n=n: many.send(wireguard.with_macs(garbage(INITIATION, self.engine.key.public),
                                                               self.engine.key.public, cookies[n]), n, self.engine)
                     for n in crowd), lambda: many.send(initiation, other, self.engine))
        initiator.finish(many.socket.recv(2048))
        limit = 5 + 20 * (time.monotonic() - began) + 1
        limited = drops(self.engine)["rate_limited"] - before["rate_limited"]
        self.assertLessEqual(limited, count - 5)
        self.assertGreaterEqual(limited, count - limit)

    def memory(self):
        """KiB that it holds."""
        for line in pathlib.Path(f"/proc/{self.engine.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return self.fail("no VmRSS")

    def send_all(self, many, messages, reasons):
        """Messages by the number of their address; no faster than the engine drops them, for these reasons."""
        def dropped():
            done = drops(self.engine)
            return sum(done[reason] for reason in reasons)

        messages, before, count = iter(messages), dropped(), 0
        while True:
            burst = [message for _, message in zip(range(1000), messages)]
            if not burst:
                return
            for number, message in burst:
                many.send(message, number, self.engine)
            count += len(burst)
            wait_until(lambda: dropped() - before >= count, "all were dropped", timeout=30)

    def test_memory_is_bounded(self):
        """100,000 addresses without a cookie, and 20,000 with."""
        public, wanted = self.engine.key.public, 20000
        remote, many = self.remote(), self.many(socket.AF_INET)
        session = remote.handshake()
        pattern = garbage(INITIATION, public)
        memory = self.memory()
        reasons = "bad_handshake", "cookie_demanded", "rate_limited", "queue_full"
        self.send_all(many, ((number, pattern) for number in range(wanted, 100000)), reasons)
        many.socket.close()

        many = self.many(socket.AF_INET)
        cookies = {}

        def without():
            for number in range(wanted):
                message = garbage(INITIATION, public, number)
                yield number, message
                cookies[number] = message

        def collect():
            many.socket.settimeout(0)
            try:
                while True:
                    reply = many.socket.recv(2048)
                    number, = struct.unpack("<I", reply[4:8])
                    cookie = wireguard.open_cookie_reply(reply, cookies[number], public)
                    yield number, wireguard.with_macs(cookies[number], public, cookie)
            except BlockingIOError:
                pass

        self.send_all(many, without(), reasons)
        answers = list(collect())
        self.assertGreater(len(answers), wanted // 2)
        before = drops(self.engine)
        self.send_all(many, answers, reasons)
        after = drops(self.engine)
        self.assertGreater(after["bad_handshake"] - before["bad_handshake"], wanted // 4, "MAC2 was right")
        self.assertLess(self.memory() - memory, MEMORY)
        self.assert_works(remote, session)
