# SPDX-License-Identifier: MIT
"""The endpoint of a peer follows what is authentic, and nothing else (whitepaper, sections 2.1, 6.5)."""
import socket

import wireguard
from case import EngineCase
from engine import ip, ipv4, wait_until


class Roaming(EngineCase):
    def setUp(self):
        super().setUp()
        self.peer = self.remote()
        self.session = self.peer.handshake()
        self.home = self.peer.socket

    def assert_at(self, one):
        """The engine's packets go to this socket of the peer."""
        self.assert_sends(self.peer, self.session, one)
        self.assertEqual(self.peer.endpoint(one), self.peer.state()["endpoint"])

    def other(self, family=socket.AF_INET, host=None):
        return self.peer.new_socket(family, host)

    def test_the_first_initiation_sets_it(self):
        remote = self.remote()
        self.assertNotIn("endpoint", remote.state())
        remote.initiate()
        self.assertEqual(remote.endpoint(), remote.state()["endpoint"])

    def test_data_from_another_port(self):
        one = self.other()
        self.assert_delivers(self.peer, self.session, one)
        self.assert_at(one)
        self.assert_delivers(self.peer, self.session, self.home)
        self.assert_at(self.home)

    def test_data_from_another_address(self):
        one = self.other(host="127.0.0.77")
        self.assert_delivers(self.peer, self.session, one)
        self.assert_at(one)

    def test_data_from_ipv4_to_ipv6_and_back(self):
        six = self.other(socket.AF_INET6)
        self.assert_delivers(self.peer, self.session, six)
        self.assert_at(six)
        self.assert_delivers(self.peer, self.session, self.home)
        self.assert_at(self.home)

    def test_keepalive(self):
        one = self.other()
        self.peer.send(self.session.seal(), one)
        wait_until(lambda: self.peer.state()["endpoint"] == self.peer.endpoint(one), "the keepalive moves the endpoint")
        self.assert_at(one)

    def test_data_that_comes_late(self):
        """Within the window and new, so it counts, though a newer one came from elsewhere: the last to come wins."""
        late = self.session.seal(self.peer.packet_out(b"late"))
        self.assert_delivers(self.peer, self.session)
        one = self.other()
        self.peer.send(late, one)
        self.assertEqual(self.peer.packet_out(b"late"), self.engine.inner_receive())
        self.assert_at(one)

    def test_authentic_data_with_a_refused_inner_source(self):
        one = self.other()
        with self.drops(inner_source=1):
            self.peer.send(self.session.seal(ipv4("10.9.9.9", "10.7.255.254")), one)
        self.assert_at(one)

    def test_initiation_from_another_port(self):
        one = self.other()
        self.session = self.peer.handshake(one=one)
        self.assert_at(one)

    def test_response_from_another_port(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        responder = remote.responder(initiation)
        one = remote.new_socket()
        remote.send(responder.response(), one)
        _, plain = responder.session.open(remote.receive(one=one))
        self.assertEqual(packet, plain[:len(packet)])
        self.assertEqual(remote.endpoint(one), remote.state()["endpoint"])

    def test_the_previous_session_moves_it_too(self):
        old = self.session
        self.session = self.peer.handshake()
        one = self.other()
        self.assert_delivers(self.peer, old, one)
        self.assert_at(one)

    def test_forged_data(self):
        datagram = self.session.seal(self.peer.packet_out())
        with self.drops(forged=2, unchanged=[self.peer]):
            self.peer.send(datagram[:-1] + bytes([datagram[-1] ^ 1]), self.other())
            self.peer.send(wireguard.flip(datagram, "counter", 1), self.other(socket.AF_INET6))
        self.assert_at(self.home)

    def test_replayed_data(self):
        datagram = self.session.seal(self.peer.packet_out())
        self.peer.send(datagram)
        self.engine.inner_receive()
        with self.drops(replayed=2, unchanged=[self.peer]):
            self.peer.send(datagram, self.other())
            self.peer.send(datagram, self.other(socket.AF_INET6))
        self.assert_at(self.home)

    def test_replayed_among_new_ones(self):
        """A burst from one place that holds only replays moves nothing, whatever comes from the right one meanwhile."""
        old = self.session.seal(self.peer.packet_out(b"old"))
        self.peer.send(old)
        self.engine.inner_receive()
        one = self.other()
        with self.drops(replayed=10), self.engine.stopped():
            for number in range(10):
                self.peer.send(self.session.seal(self.peer.packet_out(b"new")))
                self.peer.send(old, one)
        for number in range(10):
            self.engine.inner_receive()
        self.assert_at(self.home)

    def test_data_for_an_unknown_index(self):
        with self.drops(unknown_index=1, unchanged=[self.peer]):
            self.peer.send(self.session.seal(receiver=self.session.remote ^ 1), self.other())
        self.assert_at(self.home)

    def test_bad_initiations(self):
        good = self.peer.initiator().initiation(self.peer.stamp())
        turned = wireguard.with_macs(wireguard.flip(good, "timestamp"), self.engine.key.public)
        with self.drops(bad_mac1=1, bad_handshake=1, unchanged=[self.peer]):
            self.peer.send(wireguard.flip(good, "mac1"), self.other())
            self.peer.send(turned, self.other())
        self.assert_at(self.home)

    def test_replayed_initiation(self):
        initiator = self.peer.initiator()
        initiation = initiator.initiation(self.peer.stamp())
        self.peer.send(initiation)
        self.session = initiator.finish(self.peer.receive())
        with self.peer.confirmed():
            self.peer.send(self.session.seal())
        self.peer.stamp()
        with self.drops(old_initiation=1, unchanged=[self.peer]):
            self.peer.send(initiation, self.other())
        self.assert_at(self.home)

    def test_bad_responses(self):
        remote = self.remote(endpoint=True)
        initiation, packet = remote.provoke()
        response = remote.responder(initiation).response()
        turned = wireguard.with_macs(wireguard.flip(response, "nothing"), self.engine.key.public)
        with self.drops(bad_handshake=1, unchanged=[remote]):
            remote.send(turned, remote.new_socket())
        responder = remote.responder(initiation)
        good = responder.response()
        remote.send(good)
        responder.session.open(remote.receive())
        with self.drops(unknown_index=1, unchanged=[remote]):
            remote.send(good, remote.new_socket())
        self.assertEqual(remote.endpoint(), remote.state()["endpoint"])

    def test_an_endpoint_that_is_set_stays_until_something_authentic_comes(self):
        one = self.other()
        self.peer.change(f"endpoint={self.peer.endpoint(one)}")
        self.assert_at(one)
        self.assert_delivers(self.peer, self.session, self.home)
        self.assert_at(self.home)


class Source(EngineCase):
    """Answers leave from the address that the peer talks to."""

    def test_ipv4(self):
        for host in ("127.0.0.9", "127.1.2.3"):
            remote = self.remote()
            source = (host, self.engine.port)
            initiator = remote.initiator()
            remote.send(initiator.initiation(remote.stamp()), to=source)
            session = initiator.finish(remote.receive(source=source))
            remote.send(session.seal(remote.packet_out()), to=source)
            self.engine.inner_receive()
            self.engine.inner_send(remote.packet_in())
            session.open(remote.receive(source=source))
            self.assert_delivers(remote, session)  # to the usual address, so that it is the source from now on
            self.assert_sends(remote, session)

    def test_ipv6(self):
        ip("address", "add", "2001:db8::9/128", "dev", "lo", "nodad")
        self.addCleanup(ip, "address", "del", "2001:db8::9/128", "dev", "lo")
        wait_until(lambda: self.usable("2001:db8::9"), "the address may be used")
        remote = self.remote(family=socket.AF_INET6)
        source = ("2001:db8::9", self.engine.port)
        initiator = remote.initiator()
        remote.send(initiator.initiation(remote.stamp()), to=source)
        session = initiator.finish(remote.receive(source=source))
        remote.send(session.seal(remote.packet_out()), to=source)
        self.engine.inner_receive()
        self.engine.inner_send(remote.packet_in())
        session.open(remote.receive(source=source))
        self.assert_delivers(remote, session)
        self.assert_sends(remote, session)

    @staticmethod
    def usable(address):
        """The system adds its route a moment later."""
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as target, \
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            target.bind(("::", 0))
            target.setblocking(False)
            probe.bind(("::1", 0))
            try:
                probe.sendto(b"?", (address, target.getsockname()[1]))
                return target.recv(1) == b"?"
            except OSError:
                return False

    def test_an_address_that_is_gone_is_not_used(self):
        ip("address", "add", "203.0.113.9/32", "dev", "lo")
        remote = self.remote()
        source = ("203.0.113.9", self.engine.port)
        initiator = remote.initiator()
        try:
            remote.send(initiator.initiation(remote.stamp()), to=source)
            session = initiator.finish(remote.receive(source=source))
            remote.send(session.seal(remote.packet_out()), to=source)
            self.engine.inner_receive()
        finally:
            ip("address", "del", "203.0.113.9/32", "dev", "lo")
        self.assert_sends(remote, session)
