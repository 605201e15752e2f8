"""What an end-to-end test needs: a PostgreSQL, PAM services, Cortex's files, logins.

Everything lives in one throwaway folder and listens on loopback and a Unix socket.
Servers run as user postgres where the tests run as root, and are stopped by pid.
SPDX-License-Identifier: PostgreSQL
"""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import SkipTest

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("CORTEX_BUILD") or HERE.parents[1]).resolve()
sys.path.insert(0, str(HERE.parent / "support"))
import built  # pylint: disable=wrong-import-position

os.environ.update(built.environment(BUILD))
IS_ROOT = os.geteuid() == 0
SERVER_USER = pwd.getpwnam("postgres") if IS_ROOT else pwd.getpwuid(os.geteuid())
STAGING, PRODUCTION = "analytics-staging", "analytics-production"
DATABASES = {STAGING: "analytics_staging", PRODUCTION: "analytics_production"}


def postgres_bin():
    """The newest installed server's folder of programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda p: float(p.parts[4]))
    if not found:
        raise RuntimeError("no PostgreSQL server below /usr/lib/postgresql")
    return found[-1].parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=15.0):
    """Asks the condition until it answers with something true, and gives that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


class Folder:
    """A throwaway folder that the server's user can enter."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="cortex-e2e-", dir="/tmp"))
        self.path.chmod(0o755)

    def make(self, name, owned=False, mode=0o755):
        """A folder below; owned: by the server's user."""
        path = self.path / name
        path.mkdir(mode=mode)
        path.chmod(mode)
        if owned and IS_ROOT:
            os.chown(path, SERVER_USER.pw_uid, SERVER_USER.pw_gid)
        return path

    def remove(self):
        if not os.environ.get("CORTEX_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)


class Tls:
    """A private CA and the server's certificate for localhost."""

    def __init__(self, folder):
        self.ca, self.key, self.certificate = (
            folder / name for name in ("ca.crt", "server.key", "server.crt"))
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=cortex e2e CA",
                      "-keyout", folder / "ca.key", "-out", self.ca)
        self._openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=localhost",
                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                      "-addext", "basicConstraints=critical,CA:FALSE",
                      "-CA", self.ca, "-CAkey", folder / "ca.key",
                      "-keyout", self.key, "-out", self.certificate)
        self.key.chmod(0o600)
        if IS_ROOT:
            os.chown(self.key, SERVER_USER.pw_uid, SERVER_USER.pw_gid)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class PamService:
    """PAM service files: in a private folder that tests/support/private_pam.c shows to the
    server, or, with system=True (root only), in /etc/pam.d under names nobody else has."""

    def __init__(self, folder, system=False):
        self.system = system
        self.folder = Path("/etc/pam.d") if system else folder.make("pam.d")
        self.prefix = f"cortex-e2e-{os.getpid()}-" if system else ""
        self.written = []

    def name(self, service):
        return self.prefix + service

    def write(self, service, *lines):
        path = self.folder / self.name(service)
        with open(path, "x", encoding="utf-8") as file:
            self.written.append(path)
            file.write("".join(line + "\n" for line in lines))

    def environment(self):
        """For the server, or whatever else asks PAM."""
        if self.system:
            return {}
        return {"PRIVATE_PAM": str(self.folder), "LD_PRELOAD": str(BUILD / "tests/support/.libs/private_pam.so")}

    def remove(self):
        for path in self.written:
            path.unlink(missing_ok=True)


class Postgres:
    """A private cluster with TLS. The superuser comes in by peer on the socket."""

    def __init__(self, folder, environment, programs=None):
        self.bin = programs or postgres_bin()
        said = subprocess.check_output([str(self.bin / "postgres"), "--version"], text=True)
        self.version = int(re.search(r"\d+", said).group())
        self.port = free_port()
        self.data = folder.make("data", owned=True, mode=0o700)
        self.sockets = folder.make("sockets", owned=True)
        self.tls = Tls(folder.make("tls"))
        self.log_path = folder.path / "server.log"
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment}
        self.process = None
        self._run_as_server([self.bin / "initdb", "-D", self.data, "-A", "reject", "-U",
                             "postgres", "-E", "UTF8", "--locale=C", "--no-sync"])
        self._configure()

    def _identity(self):
        if not IS_ROOT:
            return {}
        return {"user": SERVER_USER.pw_uid, "group": SERVER_USER.pw_gid, "extra_groups": []}

    def _run_as_server(self, command):
        subprocess.run([str(part) for part in command], check=True, capture_output=True,
                       cwd=self.data, env={"PATH": "/usr/bin:/bin"}, **self._identity())

    def _configure(self):
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port,
            "unix_socket_directories": self.sockets, "fsync": "off", "shared_buffers": "16MB",
            "max_connections": "40", "max_prepared_transactions": "4", "log_connections": "on", "log_line_prefix": "[%p] %d ",
            "ssl": "on", "ssl_cert_file": self.tls.certificate, "ssl_key_file": self.tls.key,
            "autovacuum": "off", "log_min_messages": "log",
        }
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in settings.items())
        me = pwd.getpwuid(os.geteuid()).pw_name
        (self.data / "pg_ident.conf").write_text(f"tests {me} postgres\n", encoding="utf-8")
        self.write_hba()

    def write_hba(self, *lines, end="host all all all reject"):
        """The superuser's line, then these, then a reject."""
        every = ["local all postgres peer map=tests", *lines, end]
        (self.data / "pg_hba.conf").write_text("\n".join(every) + "\n", encoding="utf-8")

    def start(self):
        mark = self.log_mark()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.data, env=self.environment,
                **self._identity())
        self.wait_for_log(r"database system is ready", mark)

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)
        self.process = None

    def reload(self):
        mark = self.log_mark()
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_log(r"reloading configuration files", mark)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # --- the server's log ---

    def log_mark(self):
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def log_since(self, mark):
        with open(self.log_path, "rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "replace")

    def log_contains(self, pattern, mark=0):
        return re.search(pattern, self.log_since(mark))

    def wait_for_log(self, pattern, mark):
        return wait_until(f"{pattern!r} in the log; it says:\n{self.log_since(mark)}",
                          lambda: self.log_contains(pattern, mark))

    # --- clients ---

    def need_room(self, password):
        """Before 14 the server takes no password message of more than 995 bytes: there is no such login to be tested."""
        if self.version < 14 and len(password.encode()) > 995:
            raise SkipTest("PostgreSQL 13 takes no password of more than 995 bytes")

    def conninfo(self, user, database, tls=True):
        """Keywords for psycopg; for psql through dsn()."""
        found = {"user": user, "dbname": database, "port": str(self.port),
                 "connect_timeout": "15", "gssencmode": "disable"}
        if tls:
            found.update(host="localhost", hostaddr="127.0.0.1", sslmode="verify-full",
                         sslrootcert=str(self.tls.ca))
        else:
            found.update(host=str(self.sockets))
        return found

    def psql(self, user, database, sql="select 1", password=None, passfile=None, tls=True):
        """Runs psql as a user would; no terminal, so it cannot ask for a password."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
                       "PGPASSFILE": str(passfile or "/nonexistent")}
        if password is not None:
            self.need_room(password)
            environment["PGPASSWORD"] = password
        command = [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql,
                   "-w", "-d", dsn(self.conninfo(user, database, tls))]
        return subprocess.run(command, env=environment, capture_output=True, text=True,
                              timeout=30, stdin=subprocess.DEVNULL, check=False)

    def sql(self, statement, database="postgres"):
        """As superuser; for setting the scene."""
        answer = self.psql("postgres", database, statement, tls=False)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()


def dsn(conninfo):
    """libpq's keyword string, each value quoted."""
    def quote(value):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return " ".join(f"{key}={quote(value)}" for key, value in conninfo.items())
