"""cortex-sync binds to a directory by Kerberos: MIT's KDC, slapd, the client keytab of a cron job.

SPDX-License-Identifier: PostgreSQL
"""
import re
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from harness import Tls, free_port, wait_until
from slapd import BASE
from test_directory import directory, fill, shared, stays, sync  # pylint: disable=unused-import

REALM = "EXAMPLE.COM"
HOST = "127.0.0.1"
SASL = f"""\
sasl-cbinding tls-endpoint
sasl-host {HOST}
sasl-realm {REALM}
authz-regexp "uid=cortex-sync,(cn=[^,]*,)?cn=gssapi,cn=auth" "cn=reader,{BASE}"
"""


class Middle:
    """Somebody between: a certificate that is trusted too, and another connection to the directory."""

    def __init__(self, tls, port):
        self.tls, self.target = tls, port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldaps://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ours.load_cert_chain(self.tls.certificate, self.tls.key)
        theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE
        with ours.wrap_socket(self.listener.accept()[0], server_side=True) as client, \
                theirs.wrap_socket(socket.create_connection(("127.0.0.1", self.target))) as server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)


class Kdc:
    """A realm in a throwaway folder, with the directory's principal and ours."""

    def __init__(self, folder):
        self.folder, port = folder, free_port()
        (folder / "krb5.conf").write_text(
            f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\ndns_lookup_realm = false\n"
            f"dns_canonicalize_hostname = false\nrdns = false\n"
            f"[realms]\n{REALM} = {{\nkdc = {HOST}:{port}\n}}\n", encoding="utf-8")
        (folder / "kdc.conf").write_text(
            f"[kdcdefaults]\nkdc_listen = {HOST}:{port}\nkdc_tcp_listen = {HOST}:{port}\n"
            f"[realms]\n{REALM} = {{\ndatabase_name = {folder}/principal\nkey_stash_file = {folder}/stash\n}}\n",
            encoding="utf-8")
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KRB5_CONFIG": str(folder / "krb5.conf"),
                            "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
        self._run("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)
        self.keytabs = {name: self._add(name, principal) for name, principal in
                        (("server", f"ldap/{HOST}"), ("client", "cortex-sync"), ("stranger", "stranger"))}
        self.process = subprocess.Popen(["krb5kdc", "-n"], env=self.environment, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until("the KDC", lambda: subprocess.run(
            ["kinit", "-k", "-t", self.keytabs["client"], "-c", f"FILE:{folder}/first", "cortex-sync"],
            env=self.environment, capture_output=True, check=False).returncode == 0)

    def _run(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _add(self, name, principal):
        keytab = Path(self.folder / f"{name}.keytab")
        self._run("kadmin.local", "-r", REALM, "addprinc", "-randkey", principal)
        self._run("kadmin.local", "-r", REALM, "ktadd", "-k", str(keytab), principal)
        return str(keytab)

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def kdc(tmp_path):
    made = Kdc(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def realm(sync, kdc, monkeypatch):  # pylint: disable=redefined-outer-name
    """Server and client know the realm; who the client is, its keytab says."""
    monkeypatch.setenv("KRB5_CONFIG", kdc.environment["KRB5_CONFIG"])
    monkeypatch.setenv("KRB5_KTNAME", kdc.keytabs["server"])
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", kdc.keytabs["client"])
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{kdc.folder}/cache")
    sync.ldap.restart(main=SASL)
    return sync


def by_kerberos(slapd, **more):
    return directory(slapd, **{"bind": "gssapi", "bind_dn": None, "password_file": None, **more})


@pytest.mark.parametrize("how", ["starttls", "ldaps", "clear"])
def test_client_keytab_opens_the_directory(realm, how):  # pylint: disable=redefined-outer-name
    fill(realm)
    more = {"starttls": {}, "ldaps": {"url": realm.ldap.tls_url}, "clear": {"starttls": "no"}}[how]
    realm.directories(by_kerberos(realm.ldap, **more))
    realm.apply()
    assert len(realm.host.members("analytics_read")) == 12
    layers = re.findall(r"mech=GSSAPI bind_ssf=(\d+)", realm.ldap.log.read_text(encoding="utf-8"))
    assert {layer != "0" for layer in layers} == {how == "clear"}, "Active Directory refuses a second layer below TLS"


def test_ticket_is_of_no_use_to_somebody_between(realm, tmp_path):  # pylint: disable=redefined-outer-name
    """A ticket is bound to the certificate that was seen (RFC 5929 4), as Active Directory may demand."""
    fill(realm)
    middle = Middle(Tls(tmp_path), realm.ldap.tls_port)
    both = tmp_path / "both.crt"
    both.write_bytes(realm.ldap.tls.ca.read_bytes() + middle.tls.ca.read_bytes())
    realm.directories(by_kerberos(realm.ldap, url=realm.ldap.tls_url, ca_file=both))
    realm.apply()
    assert len(realm.host.members("analytics_read")) == 12
    realm.directories(by_kerberos(realm.ldap, url=middle.url, ca_file=both))
    assert "GSSAPI" in stays(realm)


def test_without_a_ticket_or_as_somebody_else_nothing_is_removed(realm, kdc, monkeypatch):  # pylint: disable=redefined-outer-name
    fill(realm)
    realm.directories(by_kerberos(realm.ldap))
    realm.apply()
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{kdc.folder}/other")
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", kdc.keytabs["stranger"])
    stays(realm, "--allow-removals=100")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{kdc.folder}/none")
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", f"{kdc.folder}/none.keytab")
    assert "No Kerberos credentials available" in stays(realm, "--allow-removals=100")
