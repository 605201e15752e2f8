"""SAML responses as data: each folder of cases/saml holds one and the answer it must get.

  case.json      rule (one sentence), expect ("ok" or the codes that are right), settings (further
                 lines of the section), identity (what must come out), detail (what a refusal must
                 name), uniform (a group whose answers must be the same to the letter, so that they
                 tell an attacker nothing)
  response.xml   sent as base64, or response.b64, sent as it is
  metadata.xml   of the provider, where it is not the common one

tests/support/saml/generate writes them, and record those of real providers, which say their own
clock (at), sp_entity_id and acs_url. The clock is the one they were made for.
SPDX-License-Identifier: PostgreSQL
"""
import base64
import concurrent.futures
import json
import os

from support import SOURCE, assert_exit, cases, ctl, folder, one_object

CASES = SOURCE / "tests" / "cases" / "saml"
NOW = 1700000000
SP, ACS = "https://db.example/saml", "https://db.example/saml/acs"
HOME = folder()
# A sanitized build takes ten times as long; it runs a part, and the fuzz target's corpus.
EVERY = int(os.environ.get("CORTEX_SAML_EVERY") or 1)
FOLDERS = sorted(path.parent for path in CASES.glob("*/case.json"))[::EVERY]


def configuration(place, about):
    own = place / "metadata.xml"
    path = HOME / f"{place.name}.conf"
    path.write_text("\n".join([
        '[saml "idp"]', f"metadata_file = {own if own.exists() else CASES / 'metadata.xml'}",
        f"sp_entity_id = {about.get('sp_entity_id', SP)}", f"acs_url = {about.get('acs_url', ACS)}",
        f"sp_key_file = {CASES / 'sp.key'}", f"sp_cert_file = {CASES / 'sp.crt'}", "shared_names = yes",
        *about.get("settings", []),
        '[saml "other"]', f"metadata_file = {CASES / 'other-metadata.xml'}",
        f"sp_entity_id = {SP}", f"acs_url = {ACS}", "shared_names = yes",
    ]) + "\n", encoding="utf-8")
    return path


def run(place):
    """The answer of cortexctl verify, and what is wrong with how it was given."""
    about = json.loads((place / "case.json").read_text(encoding="ascii"))
    sent = place / "response.b64"
    text = sent.read_bytes() if sent.exists() else base64.b64encode((place / "response.xml").read_bytes())
    arguments = ("--config", configuration(place, about), "--offline", "--at", about.get("at", NOW))
    return about, ctl("verify", *arguments, "-", stdin=text)


POOL = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2)
RUNS = {place.name: POOL.submit(run, place) for place in FOLDERS}


@cases(*RUNS)
def test_case(name):
    about, done = RUNS[name].result()
    answer = one_object(done.stdout)
    got = "ok" if answer["ok"] else answer["error"]
    assert got in about["expect"], f"{about['rule']}: {answer}, expected {' or '.join(about['expect'])}"
    assert about.get("detail", "") in answer.get("detail", ""), answer
    assert_exit(done, 0 if answer["ok"] else 1)
    assert done.stderr == "", done.stderr
    if answer["ok"]:
        assert (answer["kind"], answer["config"]) == ("saml", "idp"), answer
        wrong = {key: answer[key] for key, value in about.get("identity", {}).items() if answer[key] != value}
        assert not wrong, f"{wrong}, expected {about['identity']}"


def test_answers_of_a_uniform_group_are_the_same():
    groups = {}
    for future in RUNS.values():
        about, done = future.result()
        if "uniform" in about:
            groups.setdefault(about["uniform"], set()).add(done.stdout)
    assert groups and all(len(answers) == 1 for answers in groups.values()), groups


def test_corpus_is_whole():
    assert EVERY > 1 or len(FOLDERS) > 700, len(FOLDERS)
