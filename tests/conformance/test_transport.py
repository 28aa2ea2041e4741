# SPDX-License-Identifier: MIT
"""Data messages: padding, counters, the replay window, cryptokey routing (whitepaper, sections 2, 5.4.6)."""
import socket
import unittest

import wireguard
from case import EngineCase, MovedClockCase, Remote
from engine import ETH_P_IP, counts_drops, ipv4, ipv6, wait_until
from wireguard import REJECT_AFTER_MESSAGES, REPLAY_WINDOW

REJECT_AFTER_TIME = 180  # seconds


class Sending(EngineCase):
    def test_padding_to_16_with_zeros(self):
        remote = self.remote()
        session = remote.handshake()
        for length in [*range(0, 34), 500, 1379, 1380, 1381, 1387, 1388, 1389, 1399, 1400]:
            packet = remote.packet_in(b"x" * length)
            self.engine.inner_send(packet)
            _, plain = session.open(remote.receive())
            padded = min(-(-len(packet) // 16) * 16, 1420)  # never beyond the MTU
            self.assertEqual(packet + bytes(padded - len(packet)), plain)

    def test_counter_begins_at_zero_and_rises_by_one(self):
        remote = self.remote()
        for _ in range(2):
            session = remote.handshake()
            self.assertEqual(list(range(50)), [self.assert_sends(remote, session) for _ in range(50)])

    def test_a_burst(self):
        """All of it waits in the interface before the engine reads the first packet: order and counters stay."""
        remote, other = self.remote(), self.remote()
        session, others = remote.handshake(), other.handshake()
        sizes = [1000] * 70 + [1000, 999, 1001, 5, 5, 5, 1400, 0] * 15
        packets = [remote.packet_in(number.to_bytes(4, "big") + bytes(size - 4) if size else b"")
                   for number, size in enumerate(sizes)]
        with self.engine.stopped():
            for number, packet in enumerate(packets):
                self.engine.inner_send(packet)
                if number % 10 == 0:
                    self.engine.inner_send(other.packet_in(bytes([number])))
        for number, packet in enumerate(packets):
            counter, plain = session.open(remote.receive())
            self.assertEqual(number, counter)
            padded = min(-(-len(packet) // 16) * 16, 1420)
            self.assertEqual(packet + bytes(padded - len(packet)), plain)
        for number in range(0, len(packets), 10):
            counter, plain = others.open(other.receive())
            self.assertEqual(number // 10, counter)
            self.assertEqual(other.packet_in(bytes([number]))[-1:], plain[20:21])

    def test_only_so_many_wait_for_a_handshake(self):
        """The newest 128; the oldest go first."""
        remote = self.remote(endpoint=True)
        packets = [remote.packet_in(b"%d" % number) for number in range(200)]
        with self.drops(staged_full=72):
            for packet in packets:
                self.engine.inner_send(packet)
        responder = remote.responder(remote.receive())
        remote.send(responder.response())
        for number, packet in enumerate(packets[-128:]):
            counter, plain = responder.session.open(remote.receive())
            self.assertEqual(number, counter)
            self.assertEqual(packet, plain[:len(packet)])
        self.assertEqual(128, self.assert_sends(remote, responder.session))

    def test_ipv6_packet(self):
        remote = self.remote()
        session = remote.handshake()
        packet = ipv6("fd07::ffff:ffff", remote.inner6, b"six")
        self.engine.inner_send(packet)
        _, plain = session.open(remote.receive())
        self.assertEqual(packet + bytes(-len(packet) % 16), plain)

    def test_packets_go_to_the_peer_of_their_target(self):
        remotes = [self.remote() for _ in range(3)]
        sessions = [remote.handshake() for remote in remotes]
        for remote, session in zip(remotes, sessions):
            self.assert_sends(remote, session)
        self.assertEqual([[], [], []], [remote.waiting() for remote in remotes])

    def test_longest_prefix_wins(self):
        wide, narrow = self.remote(), self.remote()
        wide.change("allowed_ip=10.8.0.0/16", "allowed_ip=10.8.1.0/24")
        narrow.change("allowed_ip=10.8.0.0/17", "allowed_ip=10.8.1.7/32")
        sessions = {remote: remote.handshake() for remote in (wide, narrow)}
        for target, remote in (("10.8.128.1", wide), ("10.8.2.2", narrow), ("10.8.1.6", wide), ("10.8.1.7", narrow)):
            packet = ipv4("10.7.255.254", target, b"where")
            self.engine.inner_send(packet)
            _, plain = sessions[remote].open(remote.receive())
            self.assertEqual(packet, plain[:len(packet)])
            remote.send(sessions[remote].seal(ipv4(target, "10.7.255.254")))
            self.assertEqual(ipv4(target, "10.7.255.254"), self.engine.inner_receive())

    def test_a_prefix_moves_to_the_newest_peer(self):
        one, two = self.remote(), self.remote()
        sessions = [remote.handshake() for remote in (one, two)]
        self.assert_delivers(one, sessions[0])
        two.change(f"allowed_ip={one.inner4}/32")
        with self.drops(inner_source=1):
            one.send(sessions[0].seal(one.packet_out()))
        two.send(sessions[1].seal(one.packet_out()))
        self.assertEqual(one.packet_out(), self.engine.inner_receive())
        self.engine.inner_send(one.packet_in())
        sessions[1].open(two.receive())

    def test_target_of_no_peer(self):
        remote = self.remote()
        session = remote.handshake()
        with self.drops(no_peer=1, unchanged=[remote]):
            self.engine.inner_send(ipv4("10.7.255.254", "10.9.9.9"))
        self.assert_works(remote, session)

    def test_the_sender_learns_that_nobody_is_there(self):
        lost = ipv4("10.7.255.254", "10.9.9.9")
        self.engine.inner_send(lost)
        answer = self.engine.inner_receive(error=True)
        self.assertEqual(b"\x03\x01", answer[20:22])  # host unreachable
        self.assertEqual((lost[16:20], lost[12:16]), (answer[12:16], answer[16:20]))
        self.assertEqual(lost, answer[28:])
        silent = self.remote()
        lost = silent.packet_in()
        self.engine.inner_send(lost)
        self.assertEqual(lost, self.engine.inner_receive(error=True)[28:])

    def test_not_ip(self):
        remote = self.remote()
        session = remote.handshake()
        good = remote.packet_in()
        with self.drops(not_ip=3, unchanged=[remote]):
            for packet in (b"\x55" + good[1:], b"\x05" + good[1:], good[:19]):
                self.engine.inner.sendto(packet, (self.engine.name, ETH_P_IP))
        self.assert_works(remote, session)

    def test_a_peer_without_endpoint(self):
        remote, silent = self.remote(), self.remote()
        session = remote.handshake()
        with self.drops(no_endpoint=1, unchanged=[remote, silent]):
            self.engine.inner_send(silent.packet_in())
        self.assert_works(remote, session)

    def test_bytes_are_counted_as_on_the_wire(self):
        remote = self.remote()
        session = remote.handshake()
        sent, received = 148 + 32, 92
        for length in (0, 1, 100, 1000):
            remote.send(session.seal(remote.packet_out(bytes(length))))
            self.engine.inner_receive()
            sent += 32 + -(-(20 + length) // 16) * 16
            self.engine.inner_send(remote.packet_in(bytes(length)))
            received += len(remote.receive())
        state = remote.settled()
        self.assertEqual((str(sent), str(received)), (state["rx_bytes"], state["tx_bytes"]))


class Receiving(EngineCase):
    def setUp(self):
        super().setUp()
        self.peer = self.remote()
        self.session = self.peer.handshake()

    def refused(self, reason, *datagrams, changes=False):
        """None is delivered, each is counted under reason. changes: they are authentic, so they count as received."""
        with self.drops(**{reason: len(datagrams)}, unchanged=[] if changes else [self.peer]):
            for datagram in datagrams:
                self.peer.send(datagram)
        self.assert_works(self.peer, self.session)
        self.assertEqual([], self.engine.inner_waiting())

    def accepted(self, counter):
        packet = self.peer.packet_out(b"counter %d" % counter)
        self.peer.send(self.session.seal(packet, counter=counter))
        self.assertEqual(packet, self.engine.inner_receive())

    def replayed(self, *counters, reason="replayed"):
        with self.drops(**{reason: len(counters)}, unchanged=[self.peer]):
            for counter in counters:
                self.peer.send(self.session.seal(self.peer.packet_out(b"again"), counter=counter))

    def test_ipv6_packet(self):
        packet = self.peer.packet_out6(b"six")
        self.peer.send(self.session.seal(packet))
        self.assertEqual(packet, self.engine.inner_receive())

    def test_keepalive(self):
        before = int(self.peer.state()["rx_bytes"])
        self.peer.send(self.session.seal())
        wait_until(lambda: int(self.peer.state()["rx_bytes"]) == before + 32, "the keepalive is counted")
        self.assert_delivers(self.peer, self.session)
        self.assertEqual([], self.peer.waiting())

    def test_out_of_order(self):
        for counter in (9, 3, 8, 4, 7, 5, 6, 2, 1000, 500, 999, 501):
            self.accepted(counter)

    def test_replayed_counter(self):
        for counter in (5, 6, 4):
            self.accepted(counter)
        self.replayed(4, 5, 6, 0)
        self.accepted(7)

    def test_replayed_datagram(self):
        packet = self.peer.packet_out(b"once")
        datagram = self.session.seal(packet)
        self.peer.send(datagram)
        self.assertEqual(packet, self.engine.inner_receive())
        self.refused("replayed", datagram, datagram)

    def test_replays_in_one_burst(self):
        """They all wait in the socket before the engine reads the first."""
        packet = self.peer.packet_out(b"once")
        datagram = self.session.seal(packet)
        with self.drops(replayed=49), self.engine.stopped():
            for _ in range(50):
                self.peer.send(datagram)
        self.assertEqual(packet, self.engine.inner_receive())
        self.assertEqual([], self.engine.inner_waiting())

    def test_forged_ones_in_a_burst_of_good_ones(self):
        packets = [self.peer.packet_out(b"packet %3d" % number) for number in range(60)]
        with self.drops(forged=20), self.engine.stopped():
            for number, packet in enumerate(packets):
                datagram = self.session.seal(packet)
                self.peer.send(datagram if number % 3 else wireguard.flip(datagram, slice(16, len(datagram)), number))
        self.assertEqual([packet for number, packet in enumerate(packets) if number % 3],
                         [self.engine.inner_receive() for _ in range(40)])

    def test_window(self):
        top = 20000
        self.accepted(top)
        self.accepted(top - REPLAY_WINDOW)
        self.accepted(top - REPLAY_WINDOW + 1)
        self.accepted(top - 1)
        self.accepted(top - REPLAY_WINDOW // 2)
        self.replayed(top, top - REPLAY_WINDOW - 1, top - REPLAY_WINDOW + 1, top - 8192, top - 8193, 1)
        self.accepted(top + 1)
        self.replayed(top - REPLAY_WINDOW - 1, top - REPLAY_WINDOW)
        self.accepted(top + 64)
        self.accepted(top + 64 - REPLAY_WINDOW + 1)

    def test_every_counter_of_a_window_once(self):
        """In a scattered order, each twice, around the places where a ring of words begins anew."""
        base = 8192 * 3 - 200
        counters = [base + number * 149 % 400 for number in range(400)]
        self.assertEqual(400, len(set(counters)))
        self.accepted(base + 400)
        packets = {self.peer.packet_out(b"counter %d" % counter): counter for counter in counters}
        with self.drops(replayed=400):
            for _ in range(2):
                for packet, counter in packets.items():
                    self.peer.send(self.session.seal(packet, counter=counter))
        self.assertEqual(list(packets), [self.engine.inner_receive() for _ in counters])

    def test_a_jump_forgets_what_was_before(self):
        self.accepted(10)
        self.accepted(2**32 + 17)
        self.replayed(9, 10, 11, 2**32 + 17 - REPLAY_WINDOW - 1, 2**32 + 17)
        for counter in (2**32 + 16, 2**32, 2**32 - 1, 2**32 + 18):
            self.accepted(counter)
        self.accepted(2**60)
        self.replayed(2**32 + 19)
        self.accepted(2**60 - 8192 + 65)

    def test_jumps_of_about_a_window(self):
        """What a smaller window left behind must not be taken for new or for old."""
        top = 100
        self.accepted(top)
        for jump in (63, 64, 65, 8127, 8128, 8129, 8191, 8192, 8193, 16384):
            top += jump
            self.accepted(top)
            self.accepted(top - 1)
            self.replayed(top, top - 1)

    def test_counters_at_the_end(self):
        """The last counters are never used, so that none is ever used twice."""
        last = REJECT_AFTER_MESSAGES - 1
        self.accepted(last - 1)
        self.accepted(last)
        self.refused_at_the_end(last + 1, last + 2, 2**64 - 2, 2**64 - 1)
        self.replayed(last)
        self.accepted(last - 2)

    def refused_at_the_end(self, *counters):
        """Under which reason is the engine's choice."""
        before, state = self.engine.get().drops(), self.peer.settled()
        for counter in counters:
            self.peer.send(self.session.seal(self.peer.packet_out(b"too far"), counter=counter))
        if counts_drops:
            def dropped():
                after = self.engine.get().drops()
                return sum(after.get(key, 0) - before.get(key, 0) for key in ("expired", "replayed")) == len(counters)
            wait_until(dropped, "they are dropped")
        self.assertEqual(state, self.peer.state())
        self.assertEqual([], self.engine.inner_waiting())

    def test_wrong_tag(self):
        datagram = self.session.seal(self.peer.packet_out())
        bits = [wireguard.flip(datagram, slice(len(datagram) - 16, len(datagram)), bit) for bit in (0, 63, 64, 127)]
        self.refused("forged", *bits, datagram[:-16] + bytes(16))

    def test_turned_bit_in_the_packet_or_the_counter(self):
        datagram = self.session.seal(self.peer.packet_out(), counter=300)
        self.refused("forged", wireguard.flip(datagram, slice(16, len(datagram)), 9), wireguard.flip(datagram, "counter", 0),
                     wireguard.flip(datagram, "counter", 60))
        self.accepted(300)

    def test_a_forged_far_counter_does_not_move_the_window(self):
        datagram = self.session.seal(self.peer.packet_out(), counter=2**40)
        self.refused("forged", wireguard.flip(datagram, slice(16, len(datagram)), 0))
        self.accepted(300)

    def test_truncated(self):
        datagram = self.session.seal(self.peer.packet_out(bytes(60)))
        self.refused("forged", datagram[:-1], datagram[:-16], datagram[:32], datagram + b"\0")
        self.refused("malformed", datagram[:31], datagram[:17], datagram[:16], datagram[:15])

    def test_unknown_index(self):
        datagrams = [self.session.seal(self.peer.packet_out(), receiver=self.session.remote ^ bit)
                     for bit in (1, 1 << 16, 1 << 31)]
        self.refused("unknown_index", *datagrams)

    def test_index_of_another_peer(self):
        other = self.remote()
        session = other.handshake()
        self.refused("forged", self.session.seal(self.peer.packet_out(), receiver=session.remote),
                     self.session.seal(other.packet_out(), receiver=session.remote))
        self.assert_works(other, session)

    def test_wrong_ip_version(self):
        for version in (0, 1, 3, 5, 7, 15):
            self.refused("inner_malformed", self.session.seal(self.peer.packet_out(first=version << 4 | 5)), changes=True)

    def test_ipv4_longer_than_it_is(self):
        packet = self.peer.packet_out(bytes(28))  # fills its 48 bytes
        self.refused("inner_malformed", *(self.session.seal(self.peer.packet_out(bytes(28), total=total), pad=False)
                                          for total in (49, 64, 1500, 65535)), changes=True)
        self.assertEqual(48, len(packet))

    def test_ipv4_shorter_than_its_header(self):
        self.refused("inner_malformed", *(self.session.seal(self.peer.packet_out(total=total))
                                          for total in (0, 1, 19)), changes=True)

    def test_ipv4_cut_in_its_header(self):
        packet = self.peer.packet_out()
        self.refused("inner_malformed", *(self.session.seal(packet[:length], pad=False) for length in (4, 12, 16, 19)),
                     changes=True)

    def test_ipv6_longer_than_it_is(self):
        self.refused("inner_malformed", *(self.session.seal(self.peer.packet_out6(bytes(8), length=length), pad=False)
                                          for length in (9, 100, 65535)), changes=True)

    def test_ipv6_cut_in_its_header(self):
        packet = self.peer.packet_out6()
        self.refused("inner_malformed", *(self.session.seal(packet[:length], pad=False) for length in (4, 20, 24, 39)),
                     changes=True)

    def test_one_byte(self):
        self.refused("inner_malformed", *(self.session.seal(bytes([first]), pad=False) for first in (0, 0x45, 0x60, 0xFF)),
                     changes=True)

    def test_zeros(self):
        self.refused("inner_malformed", self.session.seal(bytes(16)), self.session.seal(bytes(1408)), changes=True)

    def test_source_that_is_not_allowed(self):
        self.refused("inner_source", self.session.seal(ipv4("10.9.9.9", "10.7.255.254")),
                     self.session.seal(ipv4("0.0.0.0", "10.7.255.254")),
                     self.session.seal(ipv4("10.7.255.254", self.peer.inner4)), changes=True)

    def test_source_that_is_not_allowed_ipv6(self):
        self.refused("inner_source", self.session.seal(ipv6("fd09::1", "fd07::ffff:ffff")),
                     self.session.seal(ipv6("::", "fd07::ffff:ffff")), changes=True)

    def test_source_of_another_peer(self):
        other = self.remote()
        session = other.handshake()
        self.refused("inner_source", self.session.seal(other.packet_out()), self.session.seal(other.packet_out6()),
                     changes=True)
        self.assert_works(other, session)

    def test_the_inner_length_ends_the_packet(self):
        for padding in (b"", b"\0", bytes(15), bytes(100), b"\xff" * 33):
            packet = self.peer.packet_out(b"inner")
            self.peer.send(self.session.seal(packet + padding, pad=False))
            self.assertEqual(packet, self.engine.inner_receive())
            packet = self.peer.packet_out6(b"inner")
            self.peer.send(self.session.seal(packet + padding, pad=False))
            self.assertEqual(packet, self.engine.inner_receive())

    def test_bare_headers(self):
        for packet in (self.peer.packet_out(b""), self.peer.packet_out6(b"")):
            self.peer.send(self.session.seal(packet, pad=False))
            self.assertEqual(packet, self.engine.inner_receive())

    def test_a_packet_as_large_as_any(self):
        """Larger than the MTU of the interface, which binds only what it sends."""
        for length in (1400, 1480, 4000, 16000):
            packet = self.peer.packet_out(bytes(length - 20))
            self.peer.send(self.session.seal(packet))
            self.assertEqual(packet, self.engine.inner_receive())

    def test_trains(self):
        """Datagrams that the system hands over as one: each counts for itself."""
        other = self.remote()
        others = other.handshake()
        mine = [self.peer.packet_out(b"train %3d" % number) for number in range(40)]
        theirs = [other.packet_out(b"train %3d" % number) for number in range(40)]
        with self.subTest("all good"):
            self.peer.send_train([self.session.seal(packet) for packet in mine])
            self.assertEqual(mine, [self.engine.inner_receive() for _ in mine])
        with self.subTest("the last one shorter"):
            short = self.peer.packet_out6()
            self.peer.send_train([self.session.seal(packet, pad=False) for packet in (short, short, mine[0])])
            self.assertEqual([short, short, mine[0]], [self.engine.inner_receive() for _ in range(3)])
        with self.subTest("two sessions by turns"):
            packets = [packet for pair in zip(mine, theirs) for packet in pair]
            self.peer.send_train([(others if packet in theirs else self.session).seal(packet) for packet in packets[:60]])
            got = [self.engine.inner_receive() for _ in range(60)]  # ordered by peer, at least
            for own in (mine[:30], theirs[:30]):
                self.assertEqual(own, [packet for packet in got if packet in own])
        with self.subTest("forged and replayed ones in between"), self.drops(forged=10, replayed=10):
            datagrams = []
            for packet in mine[:10]:
                good = self.session.seal(packet)
                datagrams += [wireguard.flip(good, slice(16, len(good)), 50), good, good]
            self.peer.send_train(datagrams)
        self.assertEqual(mine[:10], [self.engine.inner_receive() for _ in range(10)])
        with self.subTest("a remainder"), self.drops(malformed=1):
            good = [self.session.seal(packet) for packet in mine[:2]]
            self.peer.send_train([*good, bytes([wireguard.DATA]) + bytes(30)])
        self.assertEqual(mine[:2], [self.engine.inner_receive() for _ in range(2)])
        with self.subTest("nothing of a right length"), self.drops(malformed=60):
            self.peer.send_train([bytes([wireguard.DATA]) + bytes(30)] * 60)
        with self.subTest("bytes"), self.drops(malformed=50):
            self.peer.send_train([b"\4"] * 50)
        self.assertEqual([], self.engine.inner_waiting())
        self.assert_works(self.peer, self.session)
        self.assert_works(other, others)

    def test_a_train_of_all_types(self):
        """All as long as an initiation."""
        remote = self.remote()
        initiator = remote.initiator()
        initiation = initiator.initiation(remote.stamp())
        packet = self.peer.packet_out(bytes(148 - 32 - 20))
        data = self.session.seal(packet, pad=False)
        again = self.session.seal(packet, pad=False)
        self.assertEqual((148, 148), (len(initiation), len(data)))
        with self.drops(malformed=3):
            remote.send_train([bytes(148), data, initiation, bytes([wireguard.RESPONSE]) + bytes(147), again,
                               wireguard.flip(data, "reserved")])
            # The data came from elsewhere, so its peer has moved.
            self.assertEqual([packet, packet], [self.engine.inner_receive() for _ in range(2)])
        session = initiator.finish(remote.receive())
        self.assert_delivers(remote, session)
        self.assert_sends(self.peer, self.session, remote.socket)

    def test_over_ipv6(self):
        remote = self.remote(family=socket.AF_INET6)
        session = remote.handshake()
        self.assert_works(remote, session)
        with self.drops(replayed=1, forged=1, unchanged=[remote]):
            remote.send(session.seal(remote.packet_out(), counter=session.counter - 1))
            remote.send(session.seal(remote.packet_out(), counter=77)[:-1] + b"\0")


@unittest.skipUnless(counts_drops, "another engine reads its clock past the library")
class KeysPastTheirLife(MovedClockCase):
    def test_nothing_is_received_in_a_session_of_180_s(self):
        for begin in Remote.handshake, Remote.engine_handshake:
            remote = self.remote(endpoint=True)
            session = begin(remote)
            self.move(REJECT_AFTER_TIME - 5)
            packet = remote.packet_out(b"in time")
            remote.send(session.seal(packet))
            self.assertEqual(packet, self.engine.inner_receive())
            self.move(6)
            before = remote.settled()["rx_bytes"]
            with self.drops(expired=1):
                remote.send(session.seal(remote.packet_out(b"too late")))
            self.assertEqual(before, remote.state()["rx_bytes"])
        self.assertEqual([], self.engine.inner_waiting())

    def test_nothing_is_sent_in_a_session_of_180_s(self):
        for begin in Remote.handshake, Remote.engine_handshake:
            remote = self.remote(endpoint=True)
            session = begin(remote)
            self.assert_works(remote, session)
            self.move(REJECT_AFTER_TIME + 1)
            packet = remote.packet_in(b"in the next one")
            self.engine.inner_send(packet)
            responder = remote.responder(remote.receive())
            remote.send(responder.response())
            _, plain = responder.session.open(remote.receive())
            self.assertEqual(packet, plain[:len(packet)])
