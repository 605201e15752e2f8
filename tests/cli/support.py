"""What the tests of the programs share: running cortexctl, throwaway folders, issuers.

SPDX-License-Identifier: PostgreSQL
"""
import atexit
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("top_builddir", pathlib.Path(__file__).parents[2] / "build"))
SOURCE = pathlib.Path(os.environ.get("top_srcdir", pathlib.Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import built  # pylint: disable=wrong-import-position

CORTEXCTL = built.program(BUILD, "cortexctl")
ENVIRONMENT = {**{name: value for name, value in os.environ.items()
                  if name.startswith(("ASAN", "UBSAN", "LSAN")) or name == "PATH"},
               "LC_ALL": "C.UTF-8", **built.environment(BUILD)}
ISSUER = "https://dev.cortex.invalid"


def cases(*items):
    """Runs the function once per item; an item that is no tuple is its one argument."""
    def mark(function):
        function.cases = [item if isinstance(item, tuple) else (item,) for item in items]
        return function
    return mark


def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="cortex-cli."))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def ctl(*arguments, stdin=b"", timeout=60, **how):
    """Runs cortexctl; output is text, as far as it is UTF-8."""
    done = subprocess.run([str(CORTEXCTL), *map(str, arguments)], input=stdin, timeout=timeout,
                          capture_output=True, check=False, env=ENVIRONMENT, **how)
    done.stdout = done.stdout.decode("utf-8", "surrogateescape")
    done.stderr = done.stderr.decode("utf-8", "surrogateescape")
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    assert done.returncode >= 0, f"killed by signal {-done.returncode}: {done.stderr}"
    return done


def assert_exit(done, code, stderr=None):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    if stderr is not None:
        assert stderr in done.stderr, done.stderr
    return done


def assert_usage(done, said):
    """Refused as wrong usage: said on stderr, nothing on stdout, and where help is."""
    assert_exit(done, 2, said)
    assert done.stdout == "", done.stdout
    assert done.stderr.startswith("cortexctl: "), done.stderr
    assert "--help' for more information" in done.stderr, done.stderr


def one_object(text):
    """The JSON object that is all of the output: one line, no member twice."""
    assert text.endswith("\n") and text.count("\n") == 1, text

    def unique(pairs):
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)
    return json.loads(text, object_pairs_hook=unique)


def parts(token):
    """Header and claims of a compact token, as objects."""
    return [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in token.split(".")[:2]]


class Issuer:
    """A development issuer in a folder of its own; like another one, because making keys takes long."""

    def __init__(self, *arguments, like=None):
        self.home = folder()
        self.path = self.home / "dev"
        if like:
            shutil.copytree(like.path, self.path)
        else:
            assert_exit(ctl("dev-issuer", *arguments, self.path), 0)
        self.conf = self.path / "cortex.conf"

    def token(self, *arguments):
        if not any(str(argument).startswith(("--user", "--subject")) for argument in arguments):
            arguments = ("--user", "alice", *arguments)
        return assert_exit(ctl("dev-token", self.path, *arguments), 0).stdout.rstrip("\n")

    def verify(self, token, *arguments, **how):
        if isinstance(token, str):
            token = token.encode()
        return ctl("verify", "--config", self.conf, *arguments, "-", stdin=token, **how)

    def accept(self, token, *arguments):
        answer = one_object(assert_exit(self.verify(token, *arguments), 0).stdout)
        assert answer["ok"] is True, answer
        return answer

    def refuse(self, token, code, *arguments):
        done = assert_exit(self.verify(token, *arguments), 1)
        answer = one_object(done.stdout)
        assert answer["ok"] is False and answer["error"] == code, answer
        assert isinstance(answer["detail"], str) and answer["detail"], answer
        return answer

    def configure(self, *lines, name="changed.conf"):
        """Another configuration in the issuer's folder."""
        path = self.path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.conf = path
        return path
