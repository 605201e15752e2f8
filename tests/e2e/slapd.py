"""A real OpenLDAP server: a plain process in a throwaway folder, on a free port, stopped by pid.

SPDX-License-Identifier: PostgreSQL
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

from harness import Tls, free_port

SLAPD = Path("/usr/sbin/slapd")
CORE = Path("/etc/ldap/schema/core.schema")
BASE = "dc=example,dc=com"
PASSWORD = "reader-secret"

CONFIG = """
include {core}
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
{main}
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {folder}/data
maxsize 33554432
{database}
"""

READABLE = 'access to attrs=userPassword by anonymous auth by * none\naccess to * by dn="cn=reader,{base}" read by * none'


class Slapd:
    """One server with people and groups; restarted with other rules where a test needs them."""

    def __init__(self, folder):
        self.folder = folder.make("slapd")
        self.log = self.folder / "log"
        self.tls = Tls(folder.make("slapd-tls"))
        self.port, self.tls_port = free_port(), free_port()
        # Not localhost: libldap compares certificates with this machine's name then.
        self.url, self.tls_url = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.process = None
        self.reset()

    def reset(self):
        """Only the tree's top, the reader, people and groups without anybody."""
        self.stop()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        (self.folder / "data").mkdir()
        self.start()
        self.add(f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n",
                 f"dn: cn=reader,{BASE}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
                 f"cn: reader\nuserPassword: {PASSWORD}\n",
                 *(f"dn: ou={name},{BASE}\nobjectClass: organizationalUnit\nou: {name}\n" for name in ("people", "groups")))

    def start(self, main="", database=READABLE, core=CORE):
        config = self.folder / "slapd.conf"
        config.write_text(CONFIG.format(folder=self.folder, ca=self.tls.ca, certificate=self.tls.certificate,
                                        key=self.tls.key, base=BASE, main=main, core=core,
                                        database=database.format(base=BASE)), encoding="utf-8")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [SLAPD, "-d", "stats", "-f", config, "-h", " ".join(
                    url.replace("127.0.0.1", host) + "/" for url in (self.url, self.tls_url)
                    for host in ("127.0.0.1", "127.0.0.2"))],
                stdout=subprocess.DEVNULL, stderr=log)
        for _ in range(400):
            if subprocess.run(["ldapsearch", "-x", "-H", self.url, "-b", "", "-s", "base", "-LLL", "1.1"],
                              capture_output=True, check=False, env={"LDAPNOINIT": "1"}).returncode == 0:
                return
            assert self.process.poll() is None, "slapd does not start"
            time.sleep(0.02)
        raise AssertionError("slapd does not answer")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None

    def restart(self, main="", database=READABLE, core=CORE):
        self.stop()
        self.start(main, database, core)

    def core_with_empty_groups(self):
        """The schema as 389 Directory Server has it: groupOfNames and groupOfUniqueNames may be empty."""
        text = CORE.read_text(encoding="utf-8")
        for attribute in ("member", "uniqueMember"):
            strict = f"MUST ( {attribute} $ cn )\n\tMAY ( "
            assert strict in text
            text = text.replace(strict, f"MUST cn\n\tMAY ( {attribute} $ ")
        path = self.folder / "core.schema"
        path.write_text(text, encoding="utf-8")
        return path

    def _tool(self, tool, text, *options):
        done = subprocess.run([tool, "-x", "-H", self.url, "-D", f"cn=root,{BASE}", "-w", "root", *options],
                              input=text, text=True, capture_output=True, check=False, env={"LDAPNOINIT": "1"})
        assert done.returncode == 0, done.stderr

    def add(self, *entries):
        self._tool("ldapadd", "\n".join(entries))

    def modify(self, text):
        self._tool("ldapmodify", text)

    def delete(self, *dns):
        self._tool("ldapdelete", "\n".join(dns) + "\n")

    def people(self, *uids, ou="people"):
        """cn is the RDN and something else than the uid, as directories like it."""
        self.add(*(f"dn: cn=Person {uid},ou={ou},{BASE}\nobjectClass: inetOrgPerson\ncn: Person {uid}\nsn: {uid}\nuid: {uid}\n"
                   for uid in uids))

    def group(self, name, *members):
        lines = [f"dn: cn={name},ou=groups,{BASE}", "objectClass: groupOfNames", f"cn: {name}"]
        self.add("\n".join(lines + [f"member: {member}" for member in members]) + "\n")


def person(uid, ou="people"):
    return f"cn=Person {uid},ou={ou},{BASE}"


def group_dn(name):
    return f"cn={name},ou=groups,{BASE}"


def directory(slapd, label="corp", **more):
    """A [directory] section for it; a value of None leaves a key out, a list repeats it."""
    keys = {"kind": "ldap", "url": slapd.url, "ca_file": slapd.tls.ca, "bind_dn": f"cn=reader,{BASE}",
            "password_file": slapd.folder / "password", "users": f"ou=people,{BASE}?sub?(objectClass=inetOrgPerson)",
            "groups": f"ou=groups,{BASE}?one?(objectClass=groupOfNames)", "username_attribute": "uid",
            "timeout": "5s", **more}
    (slapd.folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    os.chmod(slapd.folder / "password", 0o600)
    lines = [f'[directory "{label}"]']
    for key, value in keys.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                quoted = str(item).replace("\\", "\\\\").replace('"', '\\"')
                lines.append(f"{key} = {item}" if key in ("url", "member_attribute") else f'{key} = "{quoted}"')
    return "\n".join(lines) + "\n"
