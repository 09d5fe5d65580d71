#!/usr/bin/env python3
# peap.py PORT SECRET CERTIFICATE NAME PASSWORD REQUEST: authenticates to the RADIUS server on this machine by PEAPv0 with
# GTC in the tunnel, and answers the server's question for a statement of health with the bytes of the file REQUEST. Ends
# in a line "accept" or "reject".
#
# eapol_test speaks PEAP too, but sends a request of its own making.
#
# Copyright 2026 the qutil authors
# Licensed under the GNU Lesser General Public License, version 2.1 or later.

import hashlib
import hmac
import os
import socket
import ssl
import struct
import sys

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
USER_NAME, STATE, EAP_MESSAGE, MESSAGE_AUTHENTICATOR = 1, 24, 79, 80
EAP_REQUEST, EAP_RESPONSE = 1, 2
IDENTITY, GTC, PEAP, TLV, EXPANDED = 1, 6, 25, 33, 254
LENGTH_INCLUDED, MORE_FRAGMENTS = 0x80, 0x40
SOH = bytes([EXPANDED]) + bytes.fromhex("000137 00000021")
FRAGMENT = 1000


class Ended(Exception):
    pass


class Radius:
    """Carries EAP packets, each in an Access-Request, and its answer in the Access-Challenge to that."""

    def __init__(self, port, secret, name):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.secret, self.name = secret, name
        self.id, self.state = 0, []

    def exchange(self, eap):
        self.id = (self.id + 1) % 256
        authenticator = os.urandom(16)
        attributes = [(USER_NAME, self.name)] + [(STATE, state) for state in self.state]
        attributes += [(EAP_MESSAGE, eap[i:i + 253]) for i in range(0, len(eap), 253)]
        body = b"".join(struct.pack("BB", type, 2 + len(value)) + value for type, value in attributes)
        header = struct.pack("!BBH", ACCESS_REQUEST, self.id, 20 + len(body) + 18) + authenticator
        body += struct.pack("BB", MESSAGE_AUTHENTICATOR, 18)
        packet = header + body
        self.socket.send(packet + hmac.new(self.secret, packet + bytes(16), "md5").digest())

        reply = self.socket.recv(4096)
        code, id, length = struct.unpack("!BBH", reply[:4])
        if id != self.id or length != len(reply) or \
                hashlib.md5(reply[:4] + authenticator + reply[20:] + self.secret).digest() != reply[4:20]:
            sys.exit("the RADIUS server's reply doesn't belong to the request")
        values = {}
        while len(reply) > 20:
            reply, value = reply[:20] + reply[20 + reply[21]:], reply[20:20 + reply[21]]
            values.setdefault(value[0], []).append(value[2:])
        self.state = values.get(STATE, [])
        if code != ACCESS_CHALLENGE:
            raise Ended({ACCESS_ACCEPT: "accept", ACCESS_REJECT: "reject"}[code])
        return b"".join(values[EAP_MESSAGE])


class Peap:
    """Carries the tunnel's bytes in fragments ([MS-PEAP] 2.2.2)."""

    def __init__(self, radius):
        self.radius = radius
        start = radius.exchange(struct.pack("!BBHB", EAP_RESPONSE, 0, 5 + len(radius.name), IDENTITY) + radius.name)
        if start[4] != PEAP:
            sys.exit("the server asks for the EAP method %d instead of PEAP" % start[4])
        self.id = start[1]

    def send(self, flags, data):
        packet = struct.pack("!BBHBB", EAP_RESPONSE, self.id, 6 + len(data), PEAP, flags) + data
        _, self.id, _, method, flags = struct.unpack("!BBHBB", (reply := self.radius.exchange(packet))[:6])
        if method != PEAP:
            sys.exit("the server goes on with the EAP method %d" % method)
        return flags, reply[10 if flags & LENGTH_INCLUDED else 6:]

    def exchange(self, data):
        first, length = LENGTH_INCLUDED, struct.pack("!I", len(data))
        while len(data) > FRAGMENT:
            self.send(first | MORE_FRAGMENTS, (length if first else b"") + data[:FRAGMENT])
            first, data = 0, data[FRAGMENT:]
        flags, reply = self.send(0, data)
        while flags & MORE_FRAGMENTS:
            flags, more = self.send(0, b"")
            reply += more
        return reply


class Tunnel:
    def __init__(self, peap, certificate):
        context = ssl.create_default_context(cafile=certificate)
        # With TLS 1.3, what follows the handshake isn't settled between PEAP's implementations.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.peap, self.incoming, self.outgoing = peap, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.complete(self.tls.do_handshake)

    def complete(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.incoming.write(self.peap.exchange(self.outgoing.read()))

    def read(self):
        return self.complete(lambda: self.tls.read(65536))

    def write(self, data):
        self.tls.write(data)


def answer(packet, name, password, request):
    """What a peer says in the tunnel, where PEAPv0 has no EAP header, but for TLVs and the server's first question."""
    header = b""
    if len(packet) > 4 and struct.unpack("!BxH", packet[:4]) == (EAP_REQUEST, len(packet)):
        header, packet = packet[:4], packet[4:]
    if packet[0] == IDENTITY:
        return bytes([IDENTITY]) + name
    if packet[0] == GTC:
        return bytes([GTC]) + password
    if packet[0] == TLV:
        return bytes([EAP_RESPONSE]) + header[1:] + packet
    if packet == SOH + bytes.fromhex("0007 0008 00000137 0002 0000"):
        return SOH + request
    sys.exit("the server asks in the tunnel: " + packet.hex())


def main():
    port, secret, certificate, name, password, file = sys.argv[1:]
    name, password = name.encode(), password.encode()
    with open(file, "rb") as stream:
        request = stream.read()
    try:
        tunnel = Tunnel(Peap(Radius(int(port), secret.encode(), name)), certificate)
        while True:
            tunnel.write(answer(tunnel.read(), name, password, request))
    except Ended as end:
        print(end)


main()
