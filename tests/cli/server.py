"""A small HTTP or HTTPS server whose every answer a test decides.

SPDX-License-Identifier: PostgreSQL
"""
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from urllib.parse import parse_qs

from support import folder

LACKS = [] if shutil.which("openssl") else ["openssl"]


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


class Authority:
    """A certificate authority and what it signs."""

    def __init__(self):
        self.path = folder()
        self.file = self.path / "ca.crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.crt",
                cwd=self.path)

    def context(self, name="DNS:localhost,IP:127.0.0.1"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=server", "-addext", f"subjectAltName={name}",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.crt", "-CAkey",
                "ca.key", "-keyout", "server.key", "-out", "server.crt", cwd=self.path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path / "server.crt", self.path / "server.key")
        return context


class Answer:
    """status and headers, then the body; after `pause` seconds; with `drip` a byte a time."""

    def __init__(self, body=b"", status=200, headers=None, pause=0.0, drip=0.0, sized=True):
        self.body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        self.status, self.headers = status, headers or {}
        self.pause, self.drip, self.sized = pause, drip, sized


def redirect(to):
    return Answer(status=302, headers={"Location": to})


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the server's table says; keeps what was asked."""

    def do_POST(self):  # pylint: disable=invalid-name
        length = int(self.headers.get("Content-Length", 0))
        form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
        self.server.posted.append((self.path, {name: values[0] for name, values in form.items()},
                                   dict(self.headers)))
        self.do_GET()

    def do_GET(self):  # pylint: disable=invalid-name
        self.server.asked.append(self.path)
        self.server.headers.append(self.headers)
        answer = self.server.answers.get(self.path, Answer(b"no such page", 404))
        if isinstance(answer, list):  # one after the other; the last one stays
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer()
        time.sleep(answer.pause)
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.sized:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self._send(answer)
        except OSError:
            pass  # the client has gone, which some tests are about

    def _send(self, answer):
        if not answer.drip:
            self.wfile.write(answer.body)
        for byte in answer.body if answer.drip else b"":
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(answer.drip)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class Server:
    """Listens on a free loopback port until the program ends."""

    def __init__(self, context=None):
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.asked, self._http.posted, self._http.headers = [], [], []
        self._http.answers = {}
        self._http.handle_error = lambda request, address: None  # a broken handshake is a test
        if context:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                    do_handshake_on_connect=False)
        self.port = self._http.server_address[1]
        self.url = f"{'https' if context else 'http'}://localhost:{self.port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, **pages):
        """Replaces all answers, and forgets what was asked."""
        self._http.answers = {"/" + path.replace("__", "/"): answer
                              for path, answer in pages.items()}
        self._http.asked.clear()

    def answer_paths(self, pages):
        self._http.answers = dict(pages)
        self._http.asked.clear()
        self._http.posted.clear()

    @property
    def asked(self):
        return list(self._http.asked)

    @property
    def posted(self):
        """Path, form and headers of each POST."""
        return list(self._http.posted)

    @property
    def headers(self):
        """Of all that was ever asked."""
        return list(self._http.headers)


class Tunnel:
    """A proxy that knows CONNECT only, and counts."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connects = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        target = head.split()[1].decode()
        self.connects.append(target)
        host, port = target.rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 ok\r\n\r\n")
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
