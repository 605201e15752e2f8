"""cortex-login beside a scripted provider: every answer is the test's to decide.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

from server import Answer, Server
from support import BUILD, ENVIRONMENT, built, folder

CORTEX_LOGIN = built.program(BUILD, "cortex-login")
WELL_KNOWN = "/.well-known/openid-configuration"
SECRET = "not-a-secret"


def base64url(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(**claims):
    return f"{base64url({'alg': 'RS256'})}.{base64url(claims)}.{base64url(b'signature')}"


def assert_exit(done, code, said=None):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    if said is not None:
        assert said in done.stderr, done.stderr
    return done


class Home:
    """A person's folders: configuration and cache, and the program run in them."""

    def __init__(self, **keys):
        self.path = folder()
        self.config = self.path / "config" / "cortex-login" / "config"
        self.cache = self.path / "cache" / "cortex-login"
        self.config.parent.mkdir(parents=True)
        self.secret = self.path / "secret"
        self.secret.write_text(SECRET + "\n", encoding="utf-8")
        self.environment = {**ENVIRONMENT, "HOME": str(self.path), "BROWSER": "",
                            "XDG_CONFIG_HOME": str(self.path / "config"),
                            "XDG_CACHE_HOME": str(self.path / "cache")}
        if keys:
            self.write(corp=keys)

    def write(self, **profiles):
        text = "".join(f'[profile "{name}"]\n' +
                       "".join(f"{key} = {value}\n" for key, value in keys.items())
                       for name, keys in profiles.items())
        self.write_text(text)

    def write_text(self, text):
        self.config.write_text(text, encoding="utf-8")

    def start(self, *arguments, **how):
        environment = {**self.environment, **how.pop("environment", {})}
        return subprocess.Popen([str(CORTEX_LOGIN), *map(str, arguments)], env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **how)

    def run(self, *arguments, timeout=60, **how):
        with self.start(*arguments, **how) as process:
            return self.finish(process, timeout)

    @staticmethod
    def finish(process, timeout=60):
        """What the program gave; nothing secret that it was told is in a message."""
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert "Sanitizer" not in stderr and "runtime error" not in stderr, stderr
        assert SECRET not in stderr, stderr
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def kept(self, name="corp"):
        return json.loads((self.cache / f"{name}.json").read_text(encoding="utf-8"))


class Script:
    """A provider whose answers are set one by one."""

    def __init__(self):
        self.server = Server()
        self.url = self.server.url
        self.number = 0

    def set(self, token=None, device=None, revoke=None, **document):
        """`token` and the others: an Answer, or a list of them in their order."""
        known = {"issuer": self.url, "token_endpoint": self.url + "/token",
                 "authorization_endpoint": self.url + "/authorize",
                 "device_authorization_endpoint": self.url + "/device",
                 "revocation_endpoint": self.url + "/revoke", **document}
        self.server.answer_paths({
            WELL_KNOWN: Answer({k: v for k, v in known.items() if v is not None}),
            "/token": token or Answer(b"", 500), "/device": device or Answer(b"", 500),
            "/revoke": revoke or Answer(b"")})

    def id_token(self, **changes):
        now = int(time.time())
        self.number += 1
        claims = {"iss": self.url, "aud": "me", "sub": "alice-1", "iat": now, "exp": now + 600,
                  "jti": str(self.number), **changes}
        return jwt(**{k: v for k, v in claims.items() if v is not None})

    def tokens(self, status=200, claims=None, **changes):
        body = {"token_type": "Bearer", "access_token": f"access-{self.number}",
                "expires_in": 600, "id_token": self.id_token(**(claims or {})), **changes}
        return Answer({k: v for k, v in body.items() if v is not None}, status)

    @property
    def forms(self):
        return [form for path, form, _ in self.server.posted if path == "/token"]


def error(code, status=400, **more):
    return Answer({"error": code, **more}, status)


class Visit:
    """One `token` run that has printed the address to open; the test is the browser."""

    def __init__(self, home, *arguments, **how):
        self.home = home
        self.process = home.start("token", *arguments, **how)
        self.lines = []
        self.address = ""
        while not self.address:
            line = self.process.stderr.readline()
            if not line:
                break
            self.lines.append(line)
            if re.match(r"https?://", line):
                self.address = line.strip()

    @property
    def asked(self):
        """The parameters of the login page's address."""
        query = parse_qs(urlsplit(self.address).query, keep_blank_values=True)
        assert all(len(values) == 1 for values in query.values()), query
        return {name: values[0] for name, values in query.items()}

    def come_back(self, **parameters):
        """As the provider sends the browser back; None takes a parameter out."""
        asked = self.asked
        answer = {"code": "the-code", "state": asked["state"], **parameters}
        query = urlencode({k: v for k, v in answer.items() if v is not None}, doseq=True)
        return fetch(asked["redirect_uri"] + "?" + query)

    def end(self):
        done = Home.finish(self.process)
        done.stderr = "".join(self.lines) + done.stderr
        self.process.__exit__(None, None, None)
        return done


def fetch(url, data=None, headers=None):
    """Status and page."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
