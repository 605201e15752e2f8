"""A server before a server: members come in ranges, as Active Directory sends them (MS-ADTS 3.1.1.3.1.3.3).

SPDX-License-Identifier: PostgreSQL
"""
import re
import socket
import threading

SEARCH, ENTRY, DONE = 0x63, 0x64, 0x65  # RFC 4511 4.5.1, 4.5.2
STRING, SEQUENCE, SET = 0x04, 0x30, 0x31


def split(data):
    """The elements of a BER encoding, each a tag and its content."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7f
            length, at = int.from_bytes(data[at:at + count], "big"), at + count
        yield tag, data[at:at + length]
        at += length


def join(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + content


def messages(connection):
    """One LDAPMessage after the other."""
    stream = connection.makefile("rb")
    while head := stream.read(2):
        length = head[1]
        if length & 0x80:
            length = int.from_bytes(stream.read(length & 0x7f), "big")
        yield stream.read(length)


class Between:
    """Stands between one client and a port; carry() passes what one of them says to the other."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            threading.Thread(target=self._try, args=(client, server, True), daemon=True).start()
            self._try(server, client, False)

    def _try(self, source, sink, is_question):
        try:
            self.carry(source, sink, is_question)
        except OSError:
            pass

    def carry(self, source, sink, is_question):
        raise NotImplementedError


class Ranges(Between):
    """At most `step` members at a time. After the first time: `keeps` the rest to itself, or
    `leaves` out so many of them; something `happens` before. `odd`: says where a range begins, and not where it ends."""

    def __init__(self, slapd, step, keeps=False, leaves=0, odd=False, happens=None):
        self.step, self.keeps, self.leaves, self.odd, self.happens = step, keeps, leaves, odd, happens
        self.folder, self.tls = slapd.folder, slapd.tls
        self.asked = []  # the ranges
        self.bases = []  # of all searches
        self.starts = {}  # of searches, by the number of the message
        super().__init__(slapd.port)
        self.url = f"ldap://127.0.0.1:{self.port}"

    def carry(self, source, sink, is_question):
        kind, change = (SEARCH, self._question) if is_question else (ENTRY, self._answer)
        for message in messages(source):
            parts = [(tag, change(message, content) if tag == kind else content) for tag, content in split(message)]
            sink.sendall(join(SEQUENCE, b"".join(join(*part) for part in parts)))

    @staticmethod
    def _number(message):
        return next(split(message))[1]

    def _question(self, message, search):
        parts = list(split(search))
        self.bases.append(parts[0][1].decode())
        start = 0
        names = []
        for _, name in split(parts[7][1]):
            if found := re.fullmatch(rb"member;range=(\d+)-\*", name):
                self.asked.append(found[0].decode())
                name, start = b"member", int(found[1])
                if self.happens:
                    happens, self.happens = self.happens, None
                    happens()
            names.append(join(STRING, name))
        self.starts[self._number(message)] = start
        parts[7] = (SEQUENCE, b"".join(names))
        return b"".join(join(*part) for part in parts)

    def _answer(self, message, entry):
        name, attributes = split(entry)
        changed = b"".join(self._attribute(self.starts[self._number(message)], *(content for _, content in split(one)))
                           for _, one in split(attributes[1]))
        return join(*name) + join(SEQUENCE, changed)

    def _attribute(self, start, name, values):
        every = [join(STRING, value) for _, value in split(values)]
        if name != b"member" or len(every) <= self.step:
            return self._make(name, every)
        if start and self.keeps:
            return b""
        start += self.leaves if start else 0
        end = start + self.step
        last = "*" if end >= len(every) else str(end - 1)
        first = self._make(name, []) if start == 0 else b""
        name = f"member;range={start}" if self.odd else f"member;range={start}-{last}"
        return first + self._make(name.encode(), every[start:end])

    @staticmethod
    def _make(name, values):
        return join(SEQUENCE, join(STRING, name) + join(SET, b"".join(values)))
