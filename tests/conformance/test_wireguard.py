# SPDX-License-Identifier: MIT
"""The test peer itself, before it judges others: published vectors, and handshakes made by other code (tests/vectors)."""
import pathlib
import struct
import unittest

import wireguard
from wireguard import Initiator, Key, Refused, Responder

vectors = pathlib.Path(__file__).resolve().parents[1] / "vectors"


def rows(name):
    for line in (vectors / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def unhex(text):
    return b"" if text == "-" else bytes.fromhex(text)


class Vectors(unittest.TestCase):
    def test_xchacha20poly1305(self):
        results = set()
        for _, key, nonce, additional, message, sealed, tag, result in rows("xchacha20poly1305.txt"):
            key, nonce, additional, message, sealed, tag = map(unhex, (key, nonce, additional, message, sealed, tag))
            results.add(result)
            if result == "valid":
                self.assertEqual(sealed + tag, wireguard.xseal(key, nonce, message, additional))
                self.assertEqual(message, wireguard.xunseal(key, nonce, sealed + tag, additional))
            else:
                with self.assertRaises(Refused):
                    wireguard.xunseal(key, nonce, sealed + tag, additional)
        self.assertEqual({"valid", "invalid"}, results)

    def test_x25519(self):
        count = 0
        for row in rows("x25519.txt"):
            private, public, shared = map(unhex, row[1:4])
            self.assertEqual(shared, Key(private).dh(public))
            count += 1
        self.assertGreater(count, 500)

    def test_low_order_points(self):
        for name, point in wireguard.LOW_ORDER_POINTS.items():
            self.assertEqual(bytes(32), Key().dh(point), name)

    def test_handshakes_and_cookies(self):
        given = {}
        for name, *words in rows("wireguard.txt"):
            value = words[-1]
            if name == "t1":
                given["t1"] = unhex(value)
            else:
                given[name] = unhex(value)
            if name == "t2":
                self.check_handshake(given)
            if name.startswith("mac2_"):
                self.check_cookie(given, given["reply" + name[-1]], unhex(value))

    def check_handshake(self, given):
        i, r, psk = Key(given["si"]), Key(given["sr"]), given["psk"]
        index_i, index_r = struct.unpack("<I", given["initiation"][4:8])[0], struct.unpack("<I", given["response"][4:8])[0]
        initiator = Initiator(i, r.public, psk, index=index_i, ephemeral=Key(given["ei"]))
        self.assertEqual(given["initiation"], initiator.initiation(given["timestamp"]))
        responder = Responder(r, given["initiation"], psk, index=index_r, ephemeral=Key(given["er"]))
        self.assertEqual((i.public, given["timestamp"]), (responder.remote_public, responder.timestamp))
        self.assertEqual(given["response"], responder.response())
        session = initiator.finish(given["response"])
        self.assertEqual((given["t1"], given["t2"]), (session.send_key, session.receive_key))
        self.assertEqual((given["t2"], given["t1"]), (responder.session.send_key, responder.session.receive_key))

    def check_cookie(self, given, reply, mac2):
        r = Key(given["sr"]).public
        cookie = wireguard.open_cookie_reply(reply, given["initiation"], r)
        self.assertEqual(reply, wireguard.make_cookie_reply(given["initiation"], r, cookie, nonce=given["nonce"]))
        self.assertEqual(mac2, wireguard.with_macs(given["initiation"], r, cookie)[-16:])

    def test_it_refuses_what_is_wrong(self):
        i, r = Key(), Key()
        initiator = Initiator(i, r.public)
        initiation = initiator.initiation(wireguard.tai64n(0))
        for bad in (wireguard.flip(initiation, "mac1"), initiation[:-1],
                    *(wireguard.with_macs(wireguard.flip(initiation, field), r.public)
                      for field in ("ephemeral", "static", "timestamp"))):
            with self.assertRaises(Refused):
                Responder(r, bad)
        responder = Responder(r, initiation)
        session = initiator.finish(responder.response())
        data = session.seal(b"data")
        self.assertEqual((0, b"data" + bytes(12)), responder.session.open(data))
        for field in ("type", "receiver", "counter"):
            with self.assertRaises(Refused):
                responder.session.open(wireguard.flip(data, field))
