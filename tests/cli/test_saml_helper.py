"""cortex-saml itself: what it may do, when it ends, and helpers in its place that misbehave.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

import support
from support import BUILD, CORTEXCTL, ENVIRONMENT, SOURCE, cases, one_object

HELPER = BUILD / "libcortexauth" / "cortex-saml"
CASES = SOURCE / "tests" / "cases" / "saml"
SANITIZED = b"__asan_init" in HELPER.read_bytes()  # its shadow needs all memory and some more calls


class Helper:
    """The helper as a login starts it: one socket, no environment."""

    def __init__(self, life="5000"):
        self.socket, other = socket.socketpair()
        with other:
            self.process = subprocess.Popen([HELPER, life], stdin=other, stdout=other,
                                            stderr=subprocess.PIPE, env={})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def wait_until_ready(self):
        """It reads, and so it has all its limits."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        for _ in range(1000):
            if "Seccomp:\t2" in status.read_text(encoding="ascii"):
                return status.read_text(encoding="ascii")
            assert self.process.poll() is None, self.process.returncode
            time.sleep(0.01)
        raise AssertionError(status.read_text(encoding="ascii"))

    def send(self, question, length=None):
        if isinstance(question, dict):
            question = json.dumps(question).encode()
        self.socket.sendall(struct.pack(">I", len(question) if length is None else length) + question)

    def receive(self):
        """All that it says, as JSON behind its length."""
        self.socket.settimeout(10)
        said = b""
        while data := self.socket.recv(65536):
            said += data
        assert struct.unpack(">I", said[:4])[0] == len(said) - 4, said
        return json.loads(said[4:])


def question(name="accepted-both-signed", **more):
    text = (CASES / name / "response.xml").read_text(encoding="utf-8")
    provider = {"label": "idp", "metadata": (CASES / "metadata.xml").read_text(encoding="utf-8"),
                "audience": "https://db.example/saml", "acs_url": "https://db.example/saml/acs",
                "algorithms": ["RS256"], "unsolicited": True, "skew": 60}
    return {"now": 1700000000, "response": text, "providers": [provider], **more}


def test_only_libraries_that_it_uses_are_loaded():
    """Each costs every login; ICU stays out where configure found that libxml2 can do without."""
    listing = subprocess.run([HELPER], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True,
                             check=True).stdout
    unused = ["libxmlsec1-openssl", "libssl", "libcurl", "libpq", "libcortexauth"]
    if "#define ICU_MAJOR" in (BUILD / "config.h").read_text(encoding="ascii"):
        unused.append("libicu")
    assert "libxml2" in listing
    assert [name for name in unused if name + "." in listing or name + "uc." in listing] == []


def test_good_question_is_answered_and_the_process_ends_well():
    with Helper() as helper:
        helper.send(question())
        assert helper.receive()["ok"] is True
        assert helper.process.wait(30) == 0


def test_process_is_in_its_sandbox_before_it_reads():
    with Helper() as helper:
        status = helper.wait_until_ready()
        assert "NoNewPrivs:\t1" in status and "Seccomp_filters:\t1" in status, status
        limits = pathlib.Path(f"/proc/{helper.process.pid}/limits").read_text(encoding="ascii")
        rows = {line[:25].strip(): line[25:].split() for line in limits.splitlines()}
        assert rows["Max cpu time"][:2] == ["5", "5"], limits
        for name in ("Max core file size", "Max file size", "Max processes", "Max open files"):
            assert rows[name][:2] == ["0", "0"], limits
        if not SANITIZED:
            assert int(rows["Max address space"][1]) <= 1 << 29, limits
        if os.geteuid() == 0:  # it is not dumpable, so only root may look
            assert sorted(os.listdir(f"/proc/{helper.process.pid}/fd")) == ["0", "1", "2"]


@cases("", "0", "5001", "-1", "1x", "99999999999999999999", " 5")
def test_life_without_an_end_is_refused(life):
    with Helper(life) as helper:
        assert helper.process.wait(30) == 2
        assert b"not by people" in helper.process.stderr.read()


def test_life_ends_where_the_caller_does_nothing():
    with Helper("300") as helper:
        start = time.monotonic()
        assert helper.process.wait(30) == -signal.SIGALRM
        assert time.monotonic() - start < 3


def test_life_ends_while_it_is_stopped_and_let_go_on():
    with Helper("300") as helper:
        helper.wait_until_ready()
        helper.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        helper.process.send_signal(signal.SIGCONT)
        assert helper.process.wait(30) == -signal.SIGALRM


CALLER = """
import signal, subprocess, sys, time
signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell's background jobs ignore it
helper = subprocess.Popen([sys.argv[1], "5000"], stdin=0, stdout=0, env={})
print(helper.pid, flush=True)
time.sleep(60)
"""


@cases(signal.SIGKILL, signal.SIGQUIT)
def test_helper_dies_with_its_caller(how):
    """The socket stays open and no time is over: only the caller's death can end it."""
    own, other = socket.socketpair()
    with own, other, subprocess.Popen([sys.executable, "-c", CALLER, HELPER], stdin=other,
                                      stdout=subprocess.PIPE, text=True) as caller:
        pid = int(caller.stdout.readline())
        status = pathlib.Path(f"/proc/{pid}/status")
        while "Seccomp:\t2" not in status.read_text(encoding="ascii"):
            time.sleep(0.01)
        caller.send_signal(how)
        caller.wait(30)
        start = time.monotonic()
        while status.exists() and "Z (zombie)" not in status.read_text(encoding="ascii"):
            assert time.monotonic() - start < 2, "it lives on"
            time.sleep(0.01)


@cases((b"", 0, 4), (b"", 1048577, 4), (b"", 0xffffffff, 4), (b"{}", 100, 4))
def test_question_of_no_fitting_length_is_not_answered(text, length, code):
    with Helper() as helper:
        helper.send(text, length)
        helper.socket.shutdown(socket.SHUT_WR)
        assert helper.process.wait(30) == code


@cases(b"{}", b"[]", b"null", b"x", b'{"now":1,"now":2}', b"[" * 100000, b"\xff\xfe",
       json.dumps(question(providers=[{}])).encode(), json.dumps(question(now="1")).encode(),
       json.dumps(question(response="a\0b")).encode(), json.dumps(question(response=None)).encode())
def test_question_that_is_none_is_refused(text):
    with Helper() as helper:
        helper.send(text)
        answer = helper.receive()
        assert answer["ok"] is False and "subject" not in answer, answer


# ---- other programs in the helper's place, met by cortexctl verify ----

READ = "import os,sys\nlen_ = int.from_bytes(os.read(0, 4), 'big')\nleft = len_\n" \
       "while left:\n  left -= len(os.read(0, left))\n"


class Impostor:
    """A folder whose cortex-saml is a script."""

    def __init__(self, script):
        self.home = support.folder()
        path = self.home / "cortex-saml"
        path.write_text(f"#!{sys.executable} -IS\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        self.conf = self.home / "cortex.conf"
        self.conf.write_text("\n".join([
            '[saml "idp"]', f"metadata_file = {CASES / 'metadata.xml'}",
            "sp_entity_id = https://db.example/saml", "acs_url = https://db.example/saml/acs", ""]),
            encoding="utf-8")

    def verify(self):
        sent = base64.b64encode((CASES / "accepted-both-signed" / "response.xml").read_bytes())
        start = time.monotonic()
        done = subprocess.run(
            [CORTEXCTL, "verify", "--offline", "--at", "1700000000", "--config", self.conf, "-"],
            input=sent, capture_output=True, timeout=30, check=False,
            env={**ENVIRONMENT, "CORTEX_LIBEXECDIR": str(self.home)})
        self.seconds = time.monotonic() - start
        assert done.returncode in (0, 1) and done.stderr == b"", (done.returncode, done.stderr)
        return one_object(done.stdout.decode())


def say(answer, after=""):
    return READ + f"a = {answer!r}\nos.write(1, len(a).to_bytes(4, 'big') + a)\n{after}\n"


GOOD = json.dumps({"ok": True, "label": "idp", "issuer": "i", "subject": "mallory", "assertion_id": "_1",
                   "usable_until": 1700000300, "session_until": 0, "attributes": {}}).encode()


def test_an_impostor_s_whole_answer_would_be_believed():
    """So each refusal below is for what it says it is for."""
    assert Impostor(say(GOOD)).verify()["username"] == "mallory"


@cases(
    ("no answer", READ),
    ("crash", READ + "os.kill(os.getpid(), 11)"),
    ("not JSON", say(b"<answer/>")),
    ("no object", say(b"[true]")),
    ("member twice", say(GOOD[:-1] + b',"subject":"root"}')),
    ("NUL", say(GOOD.replace(b"mallory", b"mal\\u0000lory"))),
    ("other section", say(GOOD.replace(b'"idp"', b'"none"'))),
    ("too long", READ + "os.write(1, (262145).to_bytes(4, 'big') + b' ' * 262145)"),
    ("cut", READ + "os.write(1, (100).to_bytes(4, 'big') + b'{')"),
    ("closed", "import os\nos.close(0); os.close(1)\nimport time; time.sleep(10)"),
    ("crash after the answer", say(GOOD, "os.kill(os.getpid(), 11)")),
    ("failure after the answer", say(GOOD, "os._exit(1)")),
    ("more after the answer", say(GOOD, "os.write(1, b'x')")),
    ("its own reasons", say(b'{"ok":false,"error":"policy_denied"}')))
def test_impostor_is_refused(what, script):
    answer = Impostor(script).verify()
    expected = "bad_username" if what == "NUL" else "helper_failed"
    assert answer["ok"] is False and answer["error"] == expected, (what, answer)


def test_flood_of_errors_goes_nowhere():
    script = say(GOOD).replace("a = ", "os.write(2, b'x' * 10000000)\na = ", 1)
    assert Impostor(script).verify()["ok"] is True


def test_impostor_that_hangs_after_its_answer_is_killed_in_time():
    mark = f"cortex-hang-{os.getpid()}"
    impostor = Impostor(say(GOOD, f"import time\nname = '{mark}'\ntime.sleep(60)"))
    answer = impostor.verify()
    assert answer["error"] == "helper_timeout", answer
    assert impostor.seconds < 6
    left = [path for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if str(impostor.home).encode() in read_or_nothing(path)]
    assert not left, left


def read_or_nothing(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_helper_that_is_not_there_is_a_refusal():
    impostor = Impostor("")
    (impostor.home / "cortex-saml").unlink()
    assert impostor.verify()["error"] == "helper_failed"


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the crashes are meant
