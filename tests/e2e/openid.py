"""A real OpenID provider: started on loopback, asked by the whole login flow.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import hashlib
import http.client
import json
import os
import re
import secrets
import subprocess
from urllib.parse import parse_qs, urlencode, urlsplit

ISSUER = "https://op.idp.test"
RESOURCE = "https://analytics.test"
CALLBACK = "https://client.test/callback"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


def client_id(algorithm="RS256"):
    """The client, and so the audience of ID tokens, for a signature algorithm."""
    return "cortex" if algorithm == "RS256" else "cortex-" + algorithm.lower()


def client(name, algorithm="RS256"):
    """Registration of one client that may use every flow the tests need."""
    return {
        "client_id": name,
        "client_secret": "not-a-secret-" + name,
        "grant_types": ["authorization_code", "client_credentials"],
        "redirect_uris": [CALLBACK],
        "response_types": ["code"],
        "id_token_signed_response_alg": algorithm,
    }


CLIENTS = [client(client_id(a), a) for a in ALGORITHMS] + [client("other-app")]


BEHIND_TLS = {"Host": urlsplit(ISSUER).netloc, "X-Forwarded-Proto": "https"}


class Browser:
    """Follows one login: keeps cookies by path, speaks as if behind TLS."""

    def __init__(self, port, sent=None):
        self.port = port
        self.sent = sent or BEHIND_TLS
        self.cookies = {}

    def request(self, method, path, form=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {**self.sent, **dict(headers)}
        jar = [f"{n}={v}" for (n, scope), v in self.cookies.items() if path.startswith(scope)]
        if jar:
            sent["Cookie"] = "; ".join(jar)
        body = None
        if form is not None:
            body = urlencode(form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self._keep(line)
        connection.close()
        return answer.status, answer.headers.get("Location"), text

    def _keep(self, line):
        pair, *attributes = [part.strip() for part in line.split(";")]
        name, _, value = pair.partition("=")
        scope = next((a[5:] for a in attributes if a.lower().startswith("path=")), "/")
        self.cookies[name, scope] = value


class Provider:
    """The provider's process; every change of its set-up is one line to it."""

    def __init__(self, folder, clients=None, local=False):
        environment = {"PATH": os.environ["PATH"], "NODE_ENV": "production"}
        self.process = subprocess.Popen(
            ["node", "server.mjs"], cwd=folder, env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.accounts = {}
        self.port = self.set(clients=clients or CLIENTS, local=local)
        self.issuer = f"http://127.0.0.1:{self.port}" if local else ISSUER

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _tell(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the provider has ended"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["port"]

    def set(self, **what):
        return self._tell({"set": what})

    def rotate(self, how=True):
        """New signing keys; what was signed before no longer verifies by jwks(). With overlap:
        "announce" publishes new ones beside the old, "switch" signs with the other half. "rename":
        they take the ids of the old ones."""
        self._tell({"rotate": how})

    def account(self, sub, **claims):
        """A person who can log in, with these claims."""
        self.accounts[sub] = claims
        self.set(accounts=self.accounts)

    def browser(self):
        return Browser(self.port, {"Host": urlsplit(self.issuer).netloc,
                                   "X-Forwarded-Proto": urlsplit(self.issuer).scheme})

    def jwks(self):
        status, _, text = self.browser().request("GET", "/jwks")
        assert status == 200, text
        return json.loads(text)

    def login(self, sub, algorithm="RS256", audience=None, resource=None):
        """The code flow with PKCE, as a browser and a client do it: the token answer."""
        name = audience or client_id(algorithm)
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = {
            "client_id": name, "response_type": "code", "redirect_uri": CALLBACK,
            "scope": "openid profile" + (" db" if resource else ""), "nonce": secrets.token_hex(8),
            "code_challenge": challenge.rstrip(b"=").decode(), "code_challenge_method": "S256",
        }
        if resource:
            query["resource"] = resource
        code = self._authorize(Browser(self.port), "/auth?" + urlencode(query), sub)
        form = {"grant_type": "authorization_code", "code": code,
                "redirect_uri": CALLBACK, "code_verifier": verifier}
        if resource:
            form["resource"] = resource
        return self._token(name, form)

    def _authorize(self, browser, path, sub):
        """Answers the provider's forms until it sends the browser back with a code."""
        for _ in range(12):
            status, location, text = browser.request("GET", path)
            if status == 200:
                prompt = re.search(r'name="prompt" value="(\w+)"', text).group(1)
                action = urlsplit(re.search(r'action="([^"]+)"', text).group(1)).path
                form = {"prompt": prompt}
                if prompt == "login":
                    form.update(login=sub, password="any")
                status, location, text = browser.request("POST", action, form)
            assert location, f"{status} {text}"
            if location.startswith(CALLBACK):
                answer = parse_qs(urlsplit(location).query)
                assert "code" in answer, answer
                return answer["code"][0]
            target = urlsplit(location)
            path = target.path + ("?" + target.query if target.query else "")
        raise AssertionError("the login flow does not end")

    def _token(self, name, form):
        credentials = base64.b64encode(f"{name}:not-a-secret-{name}".encode()).decode()
        status, _, text = Browser(self.port).request(
            "POST", "/token", form, {"Authorization": "Basic " + credentials})
        assert status == 200, text
        return json.loads(text)

    def id_token(self, sub, algorithm="RS256", audience=None):
        return self.login(sub, algorithm, audience)["id_token"]

    def access_token(self, sub, algorithm="RS256"):
        """An RFC 9068 token (typ at+jwt) that carries the person's claims."""
        return self.login(sub, algorithm, resource=RESOURCE)["access_token"]

    def client_token(self, algorithm="RS256"):
        """An RFC 9068 token of a program that logs in as itself."""
        form = {"grant_type": "client_credentials", "scope": "db", "resource": RESOURCE}
        return self._token(client_id(algorithm), form)["access_token"]
