# SPDX-License-Identifier: MIT
"""The WireGuard protocol after its whitepaper, sections 5.4 and 5.4.7, as a test peer needs it: nothing here reads a clock
or a socket, and everything that is random on the wire can be chosen by the caller. Nothing is shared with the engine.
"""
import hashlib
import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
LABEL_MAC1 = b"mac1----"
LABEL_COOKIE = b"cookie--"

INITIATION, RESPONSE, COOKIE_REPLY, DATA = 1, 2, 3, 4
LENGTH = {INITIATION: 148, RESPONSE: 92, COOKIE_REPLY: 64}
KEEPALIVE_LENGTH = 32

# Where the fields of a message lie: name -> slice.
FIELDS = {
    INITIATION: {"type": slice(0, 1), "reserved": slice(1, 4), "sender": slice(4, 8), "ephemeral": slice(8, 40),
                 "static": slice(40, 88), "timestamp": slice(88, 116), "mac1": slice(116, 132), "mac2": slice(132, 148)},
    RESPONSE: {"type": slice(0, 1), "reserved": slice(1, 4), "sender": slice(4, 8), "receiver": slice(8, 12),
               "ephemeral": slice(12, 44), "nothing": slice(44, 60), "mac1": slice(60, 76), "mac2": slice(76, 92)},
    COOKIE_REPLY: {"type": slice(0, 1), "reserved": slice(1, 4), "receiver": slice(4, 8), "nonce": slice(8, 32),
                   "cookie": slice(32, 64)},
    DATA: {"type": slice(0, 1), "reserved": slice(1, 4), "receiver": slice(4, 8), "counter": slice(8, 16)},
}

REJECT_AFTER_MESSAGES = 2**64 - 2**13 + 2**6 - 1 - 1  # 2^64 - 1 - 8128 - 1, as every implementation has it
REPLAY_WINDOW = 8128
TAI64_BASE = 0x400000000000000A
NO_PSK = bytes(32)
NO_MAC = bytes(16)

# Points whose product with any (clamped) private key is zero, in all their encodings below 2^255.
P25519 = 2**255 - 19
LOW_ORDER_POINTS = {
    "zero": bytes(32),
    "one": (1).to_bytes(32, "little"),
    "order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "order 8, twin": bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    "p - 1": (P25519 - 1).to_bytes(32, "little"),
    "p": P25519.to_bytes(32, "little"),
    "p + 1": (P25519 + 1).to_bytes(32, "little"),
    "zero, top bit": (1 << 255).to_bytes(32, "little"),
}


class Refused(Exception):
    """A message that a correct peer does not accept."""


def blake2s(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def kdf(count, chaining, data):
    secret, last, outputs = hmac.digest(chaining, data, "blake2s"), b"", []
    for number in range(1, count + 1):
        last = hmac.digest(secret, last + bytes([number]), "blake2s")
        outputs.append(last)
    return outputs


def seal(key, counter, plain, additional=b""):
    return ChaCha20Poly1305(key).encrypt(struct.pack("<IQ", 0, counter), plain, additional)


def unseal(key, counter, sealed, additional=b""):
    try:
        return ChaCha20Poly1305(key).decrypt(struct.pack("<IQ", 0, counter), sealed, additional)
    except InvalidTag:
        raise Refused("wrong authentication tag") from None


def hchacha20(key, nonce):
    """A ChaCha20 block is the last state plus the first one; HChaCha20 is rows 0 and 3 of the last state."""
    block = Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    first = struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<4I", nonce)
    rows = struct.unpack("<4I", block[:16]) + struct.unpack("<4I", block[48:])
    return struct.pack("<8I", *((row - start) % 2**32 for row, start in zip(rows, first)))


def xseal(key, nonce, plain, additional):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], plain, additional)


def xunseal(key, nonce, sealed, additional):
    try:
        return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], sealed, additional)
    except InvalidTag:
        raise Refused("wrong authentication tag") from None


class Key:
    """A private key and its public one."""

    def __init__(self, private=None):
        self.private = private or os.urandom(32)
        self._key = X25519PrivateKey.from_private_bytes(self.private)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def dh(self, public):
        try:
            return self._key.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:  # the result is zero
            return bytes(32)


class LowOrderKey:
    """What an attacker sends in place of an ephemeral key: whatever the other private key, both sides compute zero."""

    def __init__(self, public):
        self.public = public

    def dh(self, _public):
        return bytes(32)


def tai64n(nanoseconds):
    """From nanoseconds since 1970."""
    return struct.pack(">QI", TAI64_BASE + nanoseconds // 10**9, nanoseconds % 10**9)


def from_tai64n(stamp):
    seconds, nanoseconds = struct.unpack(">QI", stamp)
    return (seconds - TAI64_BASE) * 10**9 + nanoseconds


def mac1_key(receiver_public):
    return blake2s(LABEL_MAC1, receiver_public)


def cookie_key(receiver_public):
    return blake2s(LABEL_COOKIE, receiver_public)


def add_macs(body, receiver_public, cookie=None):
    """body: a handshake message less its last 32 bytes."""
    body += mac(mac1_key(receiver_public), body)
    return body + (mac(cookie, body) if cookie else NO_MAC)


def with_macs(message, receiver_public, cookie=None):
    """The same message with its MACs made anew."""
    return add_macs(message[:-32], receiver_public, cookie)


def mac1_valid(message, receiver_public):
    return hmac.compare_digest(mac(mac1_key(receiver_public), message[:-32]), message[-32:-16])


def mac2_valid(message, cookie):
    return hmac.compare_digest(mac(cookie, message[:-16]), message[-16:])


def make_cookie_reply(message, own_public, cookie, nonce=None, mac1=None):
    """To the sender of message; own_public: of who sends the reply; mac1: another than the message's."""
    nonce = nonce or os.urandom(24)
    sealed = xseal(cookie_key(own_public), nonce, cookie, message[-32:-16] if mac1 is None else mac1)
    return struct.pack("<I", COOKIE_REPLY) + message[4:8] + nonce + sealed


def open_cookie_reply(reply, message, other_public):
    """The cookie in the reply to message, which was sent to the owner of other_public."""
    if len(reply) != LENGTH[COOKIE_REPLY] or reply[:4] != struct.pack("<I", COOKIE_REPLY):
        raise Refused("not a cookie reply")
    if reply[4:8] != message[4:8]:
        raise Refused("cookie reply to another message")
    return xunseal(cookie_key(other_public), reply[8:32], reply[32:], message[-32:-16])


def flip(message, field, bit=0):
    """The message with one bit of one field turned."""
    where = FIELDS[message[0]][field] if isinstance(field, str) else field
    position = where.start + bit // 8
    assert position < where.stop
    return message[:position] + bytes([message[position] ^ 1 << bit % 8]) + message[position + 1:]


def kind(datagram):
    """Its type as a number; Refused where the type, the reserved bytes or the length are wrong."""
    if len(datagram) < 4:
        raise Refused("shorter than any header")
    number, = struct.unpack("<I", datagram[:4])
    if number in LENGTH and len(datagram) == LENGTH[number] or number == DATA and len(datagram) >= KEEPALIVE_LENGTH:
        return number
    raise Refused(f"type {number}, {len(datagram)} bytes")


class Session:
    """Transport keys of one handshake."""

    def __init__(self, local, remote, send_key, receive_key):
        self.local, self.remote = local, remote
        self.send_key, self.receive_key = send_key, receive_key
        self.counter = 0

    def seal(self, plain=b"", counter=None, pad=True, receiver=None):
        if counter is None:
            counter = self.counter
            self.counter += 1
        if pad:
            plain += bytes(-len(plain) % 16)
        receiver = self.remote if receiver is None else receiver
        return struct.pack("<IIQ", DATA, receiver, counter) + seal(self.send_key, counter, plain)

    def open(self, datagram):
        """(counter, the plaintext with its padding)"""
        if kind(datagram) != DATA:
            raise Refused(f"a message of type {datagram[0]}, not data")
        _, receiver, counter = struct.unpack("<IIQ", datagram[:16])
        if receiver != self.local:
            raise Refused(f"data for index {receiver:08x}, not {self.local:08x}")
        return counter, unseal(self.receive_key, counter, datagram[16:])


class Handshake:
    def __init__(self, initiator_key, responder_public):
        self.chaining = blake2s(CONSTRUCTION)
        self.hash = blake2s(self.chaining, IDENTIFIER)
        self.mix_hash(responder_public)

    def mix_hash(self, data):
        self.hash = blake2s(self.hash, data)

    def mix_key(self, data, count=1):
        self.chaining, *rest = kdf(count, self.chaining, data)
        return rest

    def seal(self, key, plain):
        sealed = seal(key, 0, plain, self.hash)
        self.mix_hash(sealed)
        return sealed

    def unseal(self, key, sealed):
        plain = unseal(key, 0, sealed, self.hash)
        self.mix_hash(sealed)
        return plain


def random_index():
    return struct.unpack("<I", os.urandom(4))[0]


class Initiator(Handshake):
    """One handshake that we begin. mac1_public: the key for MAC1, where it shall differ."""

    def __init__(self, static, remote_public, psk=NO_PSK, index=None, ephemeral=None):
        super().__init__(static, remote_public)
        self.static, self.remote_public, self.psk = static, remote_public, psk
        self.index = random_index() if index is None else index
        self.ephemeral = ephemeral or Key()
        self.message = None

    def initiation(self, timestamp, cookie=None, mac1_public=None):
        e = self.ephemeral
        self.mix_key(e.public)
        self.mix_hash(e.public)
        key, = self.mix_key(e.dh(self.remote_public), 2)
        static = self.seal(key, self.static.public)
        key, = self.mix_key(self.static.dh(self.remote_public), 2)
        stamp = self.seal(key, timestamp)
        body = struct.pack("<II", INITIATION, self.index) + e.public + static + stamp
        self.message = add_macs(body, mac1_public or self.remote_public, cookie)
        return self.message

    def finish(self, response):
        """The session that this response gives."""
        if kind(response) != RESPONSE:
            raise Refused(f"a message of type {response[0]}, not a response")
        if not mac1_valid(response, self.static.public):
            raise Refused("response with a wrong MAC1")
        sender, receiver = struct.unpack("<II", response[4:12])
        if receiver != self.index:
            raise Refused(f"response to index {receiver:08x}, not {self.index:08x}")
        ephemeral = response[12:44]
        self.mix_key(ephemeral)
        self.mix_hash(ephemeral)
        self.mix_key(self.ephemeral.dh(ephemeral))
        self.mix_key(self.static.dh(ephemeral))
        tau, key = self.mix_key(self.psk, 3)
        self.mix_hash(tau)
        self.unseal(key, response[44:60])
        send_key, receive_key = kdf(2, self.chaining, b"")
        return Session(self.index, sender, send_key, receive_key)

    def believe(self, response):
        """The keys that the other side has, whether or not the response proves that it has our preshared key."""
        try:
            return self.finish(response)
        except Refused:
            send_key, receive_key = kdf(2, self.chaining, b"")
            return Session(self.index, struct.unpack("<I", response[4:8])[0], send_key, receive_key)


class Responder(Handshake):
    """One handshake that the other side began."""

    def __init__(self, static, initiation, psk=NO_PSK, index=None, ephemeral=None):
        super().__init__(static, static.public)
        self.static, self.psk = static, psk
        self.index = random_index() if index is None else index
        self.ephemeral = ephemeral or Key()
        self.session = None
        if kind(initiation) != INITIATION:
            raise Refused(f"a message of type {initiation[0]}, not an initiation")
        if not mac1_valid(initiation, static.public):
            raise Refused("initiation with a wrong MAC1")
        self.initiation = initiation
        self.remote_index, = struct.unpack("<I", initiation[4:8])
        self.remote_ephemeral = initiation[8:40]
        self.mix_key(self.remote_ephemeral)
        self.mix_hash(self.remote_ephemeral)
        key, = self.mix_key(static.dh(self.remote_ephemeral), 2)
        self.remote_public = self.unseal(key, initiation[40:88])
        key, = self.mix_key(static.dh(self.remote_public), 2)
        self.timestamp = self.unseal(key, initiation[88:116])

    def response(self, cookie=None):
        """May be made once."""
        e = self.ephemeral
        self.mix_key(e.public)
        self.mix_hash(e.public)
        self.mix_key(e.dh(self.remote_ephemeral))
        self.mix_key(e.dh(self.remote_public))
        tau, key = self.mix_key(self.psk, 3)
        self.mix_hash(tau)
        nothing = self.seal(key, b"")
        receive_key, send_key = kdf(2, self.chaining, b"")
        self.session = Session(self.index, self.remote_index, send_key, receive_key)
        body = struct.pack("<III", RESPONSE, self.index, self.remote_index) + e.public + nothing
        return add_macs(body, self.remote_public, cookie)
