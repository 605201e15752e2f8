"""A person at a provider's pages, and the program on that person's machine.

SPDX-License-Identifier: PostgreSQL
"""
import os
import re
import subprocess
import urllib.request
from urllib.parse import urlsplit

from harness import BUILD, built

CORTEX_LOGIN = built.program(BUILD, "cortex-login")


class Person:
    """Fills in every form that the provider shows, as a browser would send it."""

    def __init__(self, provider, sub):
        self.browser = provider.browser()
        self.home = urlsplit(provider.issuer).netloc
        self.sub = sub

    def open(self, url):
        """Where the provider sends the browser in the end, or the text of its last page."""
        for _ in range(20):
            status, location, text = self.browser.request("GET", self._path(url))
            while not location and (form := self._form(text)):
                status, location, text = self.browser.request("POST", *form)
            if not location:
                assert status == 200, text
                return text
            if urlsplit(location).netloc not in ("", self.home):
                return location
            url = location
        raise AssertionError("the login flow does not end")

    @staticmethod
    def _path(url):
        target = urlsplit(url)
        return target.path + ("?" + target.query if target.query else "")

    def _form(self, text):
        """Path and fields of the page's form."""
        found = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', text, re.DOTALL)
        if not found:
            return None
        fields = {}
        for tag in re.findall(r"<input[^>]*>", found.group(2)):
            name = re.search(r'name="([^"]*)"', tag)
            value = re.search(r'value="([^"]*)"', tag)
            if name:
                fields[name.group(1)] = value.group(1) if value else ""
        if "login" in fields:
            fields.update(login=self.sub, password="any")
        return self._path(found.group(1)), fields


class Machine:
    """A home folder in which cortex-login runs."""

    def __init__(self, path):
        self.path = path
        self.config = path / "config"
        self.environment = {
            "PATH": f"{CORTEX_LOGIN.parent}:{os.environ['PATH']}", "HOME": str(path),
            "XDG_CACHE_HOME": str(path / "cache"), "LC_ALL": "C.UTF-8", "BROWSER": "",
            **built.environment(BUILD),
            "XDG_CONFIG_HOME": str(path / "xdg")}

    def write(self, **profiles):
        self.config = self.path / "xdg" / "cortex-login" / "config"
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text("".join(
            f'[profile "{name}"]\n' + "".join(f"{k} = {v}\n" for k, v in keys.items())
            for name, keys in profiles.items()), encoding="utf-8")

    def start(self, *arguments):
        return subprocess.Popen([str(CORTEX_LOGIN), *map(str, arguments)], env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        process = self.start(*arguments)
        return self.finish(process)

    @staticmethod
    def finish(process, heard=""):
        with process:
            stdout, stderr = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, heard + stderr)

    def log_in(self, person, *arguments):
        """Runs a command that opens a page, with this person in front of the browser."""
        process = self.start(*arguments)
        heard = ""
        for line in process.stderr:
            heard += line
            found = re.search(r"^(http://\S+)$|^cortex-login: or open (\S+) ", line)
            if found:
                end = person.open(found.group(1) or found.group(2))
                if end.startswith("http://"):
                    with urllib.request.urlopen(end, timeout=20) as page:
                        assert page.status == 200
                break
        return self.finish(process, heard)
