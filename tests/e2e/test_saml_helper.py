"""Logins with responses that the providers here do not send, and what becomes of the helper.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import DATABASES, STAGING, wait_until
from test_saml import require_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "saml"))

import document  # noqa: E402
import xmlsec  # noqa: E402

ONE_TIME = document.audience(document.SP) + f'<saml:OneTimeUse xmlns:saml="{document.A}"/>'


class Signer:
    """An identity provider that says whatever a test wants."""

    def __init__(self, world):
        require_helper()
        self.world, self.count = world, 0
        self.metadata = world.cortex.folder / "own-idp.xml"
        world.cortex.write(self.metadata, document.entity())
        self.configure()

    def configure(self, **more):
        self.world.cortex.configure(**{'saml "own"': {
            "metadata_file": self.metadata, "sp_entity_id": document.SP, "acs_url": document.ACS,
            "shared_names": "yes", **more}})

    def answer(self, terms=None):
        self.count += 1
        document.NOW, name = int(time.time()), f"_a{self.count}"
        assertion = document.assertion(
            name, who=document.subject(confirmations=document.confirmation()), terms=document.conditions(terms),
            authenticated=document.authn(), facts=document.statement(document.attribute("groups", "engineers")))
        text = document.response(assertion).replace(f"{{{{SIG:{name}}}}}", xmlsec.template(name))
        return base64.b64encode(xmlsec.sign(text, f"{document.A}:Assertion")).decode()

    def login(self, text):
        return self.world.login("alice", token=text)


@pytest.fixture
def signer(world):
    return Signer(world)


@pytest.mark.parametrize("options", [{"one_use": "no"}, {"reuse_window": "1h"}], ids=["one_use", "reuse_window"])
def test_one_time_use_is_one_use_whatever_is_configured(signer, options):
    """SAML core 2.5.1.5; without the condition, the option holds."""
    signer.configure(**options)
    text = signer.answer()
    for _ in range(2):
        signer.login(text).assert_allowed()
    text = signer.answer(ONE_TIME)
    signer.login(text).assert_allowed()
    signer.login(text).assert_refused("replayed")


def children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def status_of(pid):
    try:
        return Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return ""


def is_alive(pid):
    return "cortex-saml" in status_of(pid) and "Z (zombie)" not in status_of(pid)


def catch_helper(postmaster, client):
    """Stops the helper of a login as it reads; None when it was faster."""
    while not client.done():
        for backend in children(postmaster):
            for pid in children(backend):
                status = status_of(pid)
                if "cortex-saml" in status and "Seccomp:\t2" in status:
                    os.kill(pid, signal.SIGSTOP)
                    return pid if is_alive(pid) else None
    return None


def test_no_helper_outlives_an_immediate_shutdown(signer):
    """It is held in the middle of its work, so nothing but the backend's death ends it."""
    postgres = signer.world.postgres
    entities = "".join(document.entity(f"https://idp{n}.example", declare=False) for n in range(100))
    signer.world.cortex.write(signer.metadata, (
        '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:ds="{document.DS}">{entities}{document.entity(declare=False)}</md:EntitiesDescriptor>'))
    signer.configure(idp_entity_id=document.IDP)
    signer.login(signer.answer()).assert_allowed()
    pid = None
    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            client = pool.submit(postgres.psql, "alice", DATABASES[STAGING], password=signer.answer())
            pid = catch_helper(postgres.process.pid, client)
            if pid is not None:
                break
        if pid is not None:
            postgres.process.send_signal(signal.SIGQUIT)
            postgres.process.wait(10)
            wait_until("the helper's end", lambda: not is_alive(pid), 2)
    assert pid is not None, "no helper could be caught at its work"
    postgres.start()
    signer.configure(idp_entity_id=document.IDP)
    signer.login(signer.answer()).assert_allowed()
