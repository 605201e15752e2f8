"""check and service render: every fault named with its place, and the right exit code.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import pathlib
import shutil

from host import POLICY, Host, service
from server import LACKS, Answer, Authority, Server  # pylint: disable=unused-import
from support import SOURCE, Issuer, assert_exit, cases, ctl

DEVELOPMENT = "is a development issuer"


def findings(done):
    """Without the warning that every host of these tests deserves."""
    return [line for line in done.stderr.splitlines() if DEVELOPMENT not in line]


def assert_finding(host, code, place, said, *arguments):
    done = assert_exit(host.check(*arguments), code)
    for line in findings(done):
        if line.startswith(f"{place}:") and said in line:
            return line
    raise AssertionError(f"{place}: ...{said}... is not in\n{done.stderr}")


def test_host_without_fault_is_fine():
    host = Host()
    done = assert_exit(host.check(), 0)
    assert findings(done) == [], done.stderr
    assert done.stdout == f"{host.conf}: 1 issuer, 2 services, 1 policy; 0 errors, 1 warning\n"
    assert not host.trail.exists()


def test_development_issuer_is_warned_of_with_its_line():
    host = Host()
    assert f"{host.conf}:4: warning: \"dev\" {DEVELOPMENT}" in host.check().stderr
    assert_exit(host.check("--strict"), 1)


def test_development_keys_are_known_without_their_mark():
    host = Host()
    jwks = host.path / "jwks.json"
    keys = json.loads(jwks.read_text(encoding="utf-8"))
    del keys["cortex_dev"]
    jwks.write_text(json.dumps(keys), encoding="utf-8")
    assert DEVELOPMENT in host.check().stderr


def test_address_of_keys_beside_their_file_is_a_warning():
    host = Host()
    host.configure(*host.section, "jwks_uri = https://dev.cortex.invalid/jwks", *host.rest, name="cortex.conf")
    assert_finding(host, 0, f"{host.conf}:6", "jwks_uri has no effect beside jwks_file")
    host.configure(*(line for line in host.section if "jwks_file" not in line),
                   "jwks_uri = https://dev.cortex.invalid/jwks", *host.rest, name="cortex.conf")
    assert "no effect" not in host.check("--offline").stderr


# --- configuration and policy files ---

@cases((":1:", ""), (":3:", '[oidc "x"]\nissuer = https://x.invalid\nsurprise = 1'))
def test_configuration_that_does_not_load_is_exit_2(place, text):
    host = Host()
    host.conf.write_text(text + "\n", encoding="utf-8")
    done = assert_exit(host.check(), 2, f"{host.conf}{place} ")
    assert done.stdout == ""


@cases("permit (principal, action, resource)", "permit (principal, action, resource) when { x };",
       "@max_session(\"x\") permit (principal, action, resource);", "\0")
def test_policy_that_does_not_load_is_exit_2_with_its_place(text):
    host = Host()
    host.policy.write_text("// line 1\n" + text, encoding="utf-8")
    done = assert_exit(host.check(), 2)
    assert f"{host.policy}:2:" in done.stderr, done.stderr


@cases(("max_sesion", "max_session"), ("max_sessions", "max_session"), ("max_sessiom", "max_session"),
       ("max_sesison", "max_session"), ("ax_session", "max_session"), ("amx_session", "max_session"),
       ("MAX_SESSION", "max_session"), ("reasons", "reason"), ("season", "reason"), ("reaso", "reason"))
def test_annotation_that_is_nearly_one_that_counts_is_a_warning(written, meant):
    host = Host()
    host.policy.write_text(f'// line 1\n@{written}("1h")\n{POLICY}', encoding="utf-8")
    assert_finding(host, 0, f"{host.policy}:2:1", f"warning: policy \"engineers-read-staging\": the annotation @{written} "
                   f"has no effect; @{meant} has")


def test_other_annotations_are_nobody_s_business():
    host = Host()
    host.policy.write_text('@max_session("1h") @reason("r") @uid("u") @session("s") @treasons("t") @max("m") @x @max_session_hint("h") '
                           + "".join(f'@a{"b" * length}("")' for length in (30, 300)) + POLICY, encoding="utf-8")
    assert findings(assert_exit(host.check(), 0)) == []


@cases("conf", "policy", "entities", "links", "jwks")
def test_byte_order_mark_is_named_as_what_it_is(name):
    host = Host()
    files = {"conf": host.conf, "policy": host.policy, "entities": host.entities, "links": host.path / "links.json",
             "jwks": host.path / "jwks.json"}
    files["links"].write_text("[]", encoding="utf-8")
    host.configure(*host.section, *host.rest[:3], "links = links.json", *host.rest[3:], name="cortex.conf")
    files[name].write_bytes(b"\xef\xbb\xbf" + files[name].read_bytes())
    line, = (line for line in host.check().stderr.splitlines() if "byte order mark" in line)
    assert str(files[name]) in line and "begins with a byte order mark: save it as UTF-8 without one" in line, line


@cases("", "[", "{}", "[1]", '[{"uid":{"type":"Service","id":"x"},"attrs":{},"parents":[]}]',
       '[{"uid":{"type":"Service","id":"x"},"attrs":{"database":1,"environment":"e"},"parents":[]}]')
def test_entities_that_do_not_load_are_exit_2_with_their_place(text):
    host = Host()
    host.entities.write_text(text, encoding="utf-8")
    assert f"{host.entities}:1:" in assert_exit(host.check(), 2).stderr


def test_missing_files_are_exit_2():
    host = Host()
    host.entities.unlink()
    assert_exit(host.check(), 2, str(host.entities))
    host = Host()
    host.policy.unlink()
    assert_exit(host.check(), 2, str(host.policies))
    host.policies.rmdir()
    assert_exit(host.check(), 2, str(host.policies))


def test_writable_policy_is_exit_2():
    host = Host()
    host.policy.chmod(0o666)
    assert_exit(host.check(), 2, str(host.policy))


def test_other_faults_are_named_beside_a_broken_policy():
    host = Host()
    host.policy.write_text("permit", encoding="utf-8")
    (host.path / "jwks.json").unlink()
    done = assert_exit(host.check(), 2)
    assert f"{host.conf}:4: " in done.stderr and f"{host.policy}:1:" in done.stderr


# --- issuers ---

@cases("", "[]", "{", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AAAA"}]}',
       '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"weak"}]}')
def test_key_file_without_usable_key_is_an_error(content):
    host = Host()
    (host.path / "jwks.json").write_text(content, encoding="utf-8")
    assert_finding(host, 1, f"{host.conf}:4", "")


def test_weak_key_beside_good_ones_is_a_warning():
    host = Host()
    jwks = host.path / "jwks.json"
    keys = json.loads(jwks.read_text(encoding="utf-8"))
    keys["keys"].append({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "dev-weak"})
    jwks.write_text(json.dumps(keys), encoding="utf-8")
    assert_finding(host, 0, f"{host.conf}:4", "1 of the keys of \"dev\" are too weak")


def test_missing_key_file_is_an_error():
    host = Host()
    (host.path / "jwks.json").unlink()
    assert_finding(host, 1, f"{host.conf}:4", "No such file")


def two_issuers(host, *more, first=()):
    host.configure(*host.section, *first, '[oidc "two"]', "issuer = https://two.invalid",
                   "audience = cortex-dev", "jwks_file = jwks.json", *more, *host.rest,
                   name="cortex.conf")


@cases(((), ()), (("shared_names = yes",), ()), ((), ("shared_names = yes",)),
       (("namespace = a",), ("namespace = a",)),
       (("namespace = a", "shared_names = yes"), ("namespace = a",)))
def test_two_issuers_of_one_namespace_are_an_error(first, second):
    host = Host()
    two_issuers(host, *second, first=first)
    done = assert_exit(host.check(), 1)
    line = next(line for line in findings(done) if "shared_names" in line)
    assert line.startswith(f"{host.conf}:") and '"two"' in line and "warning" not in line


@cases((("shared_names = yes",), ("shared_names = yes",)), (("namespace = a",), ()),
       (("namespace = a",), ("namespace = b",)))
def test_two_issuers_that_cannot_meet_or_say_so_are_fine(first, second):
    host = Host()
    two_issuers(host, *second, first=first)
    assert findings(assert_exit(host.check(), 0)) == []


@cases("/nonexistent", "/dev/null", "/etc/passwd")
def test_authorities_that_are_none_are_an_error(path):
    host = Host()
    host.configure(*host.section, f"ca_file = {path}", *host.rest, name="cortex.conf")
    assert_finding(host, 1, f"{host.conf}:6", path)


def remote(host, server, authority):
    section = [f"jwks_uri = {server.url}/keys" if line.startswith("jwks_file") else line
               for line in host.section]
    host.configure(*section, f"ca_file = {authority.file}", *host.rest, name="cortex.conf")


def test_remote_keys_are_fetched_and_judged():
    host, authority = Host(), Authority()
    server = Server(authority.context())
    remote(host, server, authority)
    server.answer(keys=Answer((host.path / "jwks.json").read_bytes()))
    assert DEVELOPMENT in assert_exit(host.check(), 0).stderr
    server.answer(keys=Answer({"keys": []}))
    assert_finding(host, 1, f"{host.conf}:4", "no key of \"dev\"")
    server.answer(keys=Answer([]))
    assert_finding(host, 1, f"{host.conf}:4", "")


def test_remote_keys_that_cannot_be_had_are_an_outside_failure():
    host, authority = Host(), Authority()
    server = Server(authority.context())
    remote(host, server, authority)
    assert_finding(host, 3, f"{host.conf}:4", "HTTP status 404")
    server.answer()
    assert findings(assert_exit(host.check("--offline"), 0)) == []
    assert server.asked == []


# --- services ---

def test_environment_that_differs_from_its_parent_is_an_error():
    host = Host()
    wrong = service("staging", "staging")
    wrong["parents"][1]["id"] = "production"
    host.describe(wrong, service("production", "production"))
    line = assert_finding(host, 1, f"{host.entities}:2:1", 'Environment::"production"')
    assert 'Service::"staging"' in line and '"staging"' in line


def test_service_without_environment_is_a_warning():
    host = Host()
    lone = service("staging", "staging")
    lone["parents"] = []
    host.describe(lone)
    assert_finding(host, 0, f"{host.entities}:2:1", "is in no Environment")


def test_audience_shared_between_environments_is_a_warning():
    host = Host()
    host.describe(service("staging", "staging", audience="aud-2"),
                  service("production", "production", audience="aud-2"))
    line = assert_finding(host, 0, f"{host.entities}:2:1", '"aud-2"')
    assert '"production"' in line and '"staging"' in line
    assert_exit(host.check("--strict"), 1)


@cases(("aud-2", "cortex-dev", "production"), ("aud-2", "aud-2", "staging"))
def test_audiences_of_their_own_or_of_one_environment_are_fine(first, second, environment):
    host = Host()
    host.describe(service("staging", "staging", audience=first),
                  service("production", environment, audience=second))
    assert findings(assert_exit(host.check(), 0)) == []


def test_audience_that_no_issuer_accepts_is_a_warning():
    host = Host()
    host.describe(service("staging", "staging", audience="aud"))
    assert_finding(host, 0, f"{host.entities}:2:1", 'no issuer accepts the audience "aud"')


WIDE = 'permit (principal, action, resource);'


@cases(WIDE, 'permit (principal, action == Action::"write", resource);',
       'permit (principal, action in [Action::"read", Action::"write"], resource);',
       'permit (principal, action == Action::"write", resource == Service::"staging");',
       'permit (principal, action == Action::"write", resource in Service::"staging");',
       'permit (principal, action == Action::"write", resource in Environment::"staging");',
       'permit (principal, action == Action::"write", resource is Service);',
       'permit (principal, action == Action::"write", resource is Service in Database::"analytics");')
def test_level_that_a_policy_permits_without_roles_is_a_warning(policy):
    host = Host()
    host.policy.write_text(POLICY + policy + "\n", encoding="utf-8")
    line = assert_finding(host, 0, f"{host.entities}:2:1", "the level write has no roles")
    assert f"({host.policy}:4)" in line, line
    host.describe(service("staging", "staging", grants={"read": ["r"], "write": [], "admin": ["a"]}),
                  service("production", "production", grants={k: ["r"] for k in ("read", "write", "admin")}))
    assert "write has no roles" in findings(host.check())[0] and len(findings(host.check())) == 1


def test_role_that_stands_for_two_levels_on_one_server_is_a_warning():
    host = Host()
    host.policy.write_text(POLICY, encoding="utf-8")

    def describe(**grants):
        return [service("production", "production", grants={"read": ["shared"], "write": ["w"]}), service("staging", "staging", **grants)]

    host.describe(*describe(grants={"read": ["r"], "write": ["r", "shared"]}))
    found, = findings(assert_exit(host.check(), 0))
    assert ('Service::"staging": the role "shared" stands for the level write, and for read in '
            'Service::"production" on the same server') in found, found
    for fine in ({"grants": {"read": ["shared"], "write": ["shared"]}},
                 {"grants": {"read": ["r"], "write": ["shared"]}, "port": 5433}):
        host.describe(*describe(**fine))
        assert findings(assert_exit(host.check(), 0)) == []


def test_role_that_cortex_gives_nobody_is_a_warning():
    host = Host()
    host.describe(service("staging", "staging", grants={"read": ["pg_read_all_data", "readers"]}),
                  service("production", "production", grants={"read": ["app/readers"]}))
    assert_finding(host, 0, f"{host.entities}:2:1", 'grants the role "pg_read_all_data", which Cortex gives nobody: '
                   '"pg_read_all_data" is a protected role')
    assert_finding(host, 0, f"{host.entities}:3:1", 'which Cortex gives nobody: a username has no "/"')
    host.describe(service("staging", "staging", grants={"read": ["readers"]}),
                  service("production", "production", grants={"read": ["postgres_readers"]}))
    assert findings(assert_exit(host.check(), 0)) == []
    host.configure(*host.section, *host.rest, "[roles]", "protected = postgres_*", name="cortex.conf")
    assert_finding(host, 0, f"{host.entities}:3:1", '"postgres_readers" is a protected role')


def test_services_without_a_host_are_of_one_server():
    schema = (SOURCE / "libcortexauth" / "policy" / "cortex.cedarschema").read_text(encoding="utf-8")
    services = service("a", "staging"), service("b", "production", grants={"read": ["x"], "write": ["analytics_reader"]})
    for entity in services:
        del entity["attrs"]["host"]
    host = Host()
    (host.path / "own.cedarschema").write_text(schema.replace("host: String", "host?: String"), encoding="utf-8")
    host.describe(*services)
    host.configure(*host.section, "[policy]", "schema = own.cedarschema", *host.rest[1:], name="cortex.conf")
    assert_finding(host, 0, f"{host.entities}:3:1", "stands for the level write, and for read in Service::\"a\"")


def test_names_that_postgresql_would_cut_are_errors():
    host = Host()
    host.describe(service("staging", "staging", database="d" * 64, grants={"read": ["r" * 63]}),
                  service("production", "production", database="ü" * 31 + "d", grants={"read": ["ü" * 32]}))
    assert_finding(host, 1, f"{host.entities}:2:1", f'"staging": the database "{"d" * 64}" has 64 bytes')
    assert_finding(host, 1, f"{host.entities}:3:1", f'"production": the role "{"ü" * 32}" has 64 bytes')
    assert "; 2 errors," in host.check().stdout


@cases('forbid (principal, action, resource);',
       'permit (principal, action == Action::"assume", resource);',
       'permit (principal == ?principal, action, resource);',
       'permit (principal, action == Action::"write", resource is Role);',
       'permit (principal, action == Action::"assume", resource == Role::"staging/deploy");')
def test_level_that_no_policy_can_permit_needs_no_roles(policy):
    host = Host()
    host.policy.write_text(POLICY + policy + "\n", encoding="utf-8")
    assert findings(assert_exit(host.check(), 0)) == []


@cases(("permit", "==", 'Service::"other"'), ("permit", "in", 'Database::"other"'),
       ("forbid", "==", 'Service::"other"'), ("forbid", "is Service in", 'Environment::"other"'))
def test_policy_for_a_service_that_nobody_described_is_a_warning(effect, relation, resource):
    host = Host()
    host.policy.write_text(POLICY + f'@id("x") {effect} (principal, action == Action::"write", resource {relation} {resource});\n',
                           encoding="utf-8")
    found, = findings(assert_exit(host.check(), 0))
    assert f'{host.policy}:4:1: warning: policy "x": no service of the entities file is {resource}, or in it' in found, found


def test_linked_template_counts_for_levels():
    host = Host()
    host.policy.write_text(POLICY + '@id("t") permit (principal == ?principal, action == Action::"admin",'
                           ' resource in ?resource);\n', encoding="utf-8")
    (host.path / "links.json").write_text(json.dumps([
        {"template_id": "t", "link_id": "l", "args": {"?principal": 'User::"a"',
                                                      "?resource": 'Service::"production"'}}]), encoding="utf-8")
    host.rest.insert(3, "links = links.json")
    host.configure(*host.section, *host.rest, name="cortex.conf")
    line = assert_finding(host, 0, f"{host.entities}:3:1", "the level admin has no roles")
    assert '"l"' in line and 'Service::"production"' in line


@cases("", "// permit (principal, action, resource);\n")
def test_no_policy_at_all_is_a_warning(text):
    host = Host()
    host.policy.write_text(text, encoding="utf-8")
    assert_finding(host, 0, f"{host.conf}:7", "hold no policy")


def test_no_service_at_all_is_a_warning():
    host = Host()
    host.describe()
    assert_finding(host, 0, f"{host.conf}:8", "no Service")


# --- files ---

def test_trail_without_folder_is_an_error():
    host = Host()
    host.rest[4] = "file = /nonexistent/audit.jsonl"
    host.configure(*host.section, *host.rest, name="cortex.conf")
    assert_finding(host, 1, f"{host.conf}:10", "/nonexistent/audit.jsonl")


@cases((0o662, 1, "everybody can write"), (0o664, 0, "everybody can read"))
def test_trail_that_everybody_reaches_is_named(mode, code, said):
    host = Host()
    host.trail.touch()
    host.trail.chmod(mode)
    assert_finding(host, code, f"{host.conf}:10", said)


def test_trail_that_is_no_file_is_an_error():
    host = Host()
    host.trail.mkdir()
    assert_finding(host, 1, f"{host.conf}:10", "Is a directory")
    host.trail.rmdir()
    os.mkfifo(host.trail)
    assert_finding(host, 1, f"{host.conf}:10", "not a regular file")


@cases(True, False)
def test_trail_that_is_a_link_is_an_error(is_there):
    host = Host()
    if is_there:
        (host.path / "moved.jsonl").touch(0o660)
    host.trail.symlink_to("moved.jsonl")
    assert_finding(host, 1, f"{host.conf}:10", f"{host.trail} is a symbolic link")


def test_missing_pam_file_is_a_warning():
    host = Host()
    (host.pam / "cortex-staging").unlink()
    line = assert_finding(host, 0, host.pam / "cortex-staging", "service render staging")
    assert "warning" in line


AUTH, ACCOUNT = (f"{kind} required pam_cortex.so service=staging" for kind in ("auth", "account"))


@cases(("", "auth required", AUTH.replace("auth", "session"), ACCOUNT),
       ("", "auth required", "# " + AUTH, ACCOUNT), ("", "account required", AUTH),
       ("", "auth required"), ("", "auth required", "auth required pam_permit.so", ACCOUNT),
       ("", "auth required", AUTH.replace("pam_cortex", "xpam_cortex"), ACCOUNT),
       (":1", "not sufficient", AUTH.replace("required", "sufficient"), ACCOUNT),
       (":3", "not [success=done default=ignore]", "#%PAM-1.0", AUTH,
        ACCOUNT.replace("required", "[success=done default=ignore]")),
       (":2", "service=production", AUTH, ACCOUNT.replace("staging", "production")),
       (":2", "service= ", AUTH, "account required pam_cortex.so"),
       # one line of pam_permit.so to PAM
       ("", "auth required", "auth required pam_permit.so \\", AUTH, ACCOUNT),
       (":4", "service=production", AUTH, "", "# next", "account required \\",
        "pam_cortex.so service=production"))
def test_pam_file_that_would_not_decide_is_an_error(place, said, *lines):
    host = Host()
    path = host.write_pam("staging", *lines)
    assert_finding(host, 1, f"{path}{place}", said)


@cases((AUTH, ACCOUNT), ("#%PAM-1.0", "", "-" + AUTH, "account requisite /lib/security/pam_cortex.so "
                         "debug service=staging # why"), ("auth\trequired\tpam_cortex.so\tservice=staging",
                                                          ACCOUNT + "\r"),
       ("auth required \\ ", "", "# not this \\", "pam_cortex.so \\", "  service=staging",
        "# nor this \\", ACCOUNT),
       ("account required \\", "pam_cortex.so service=staging", "auth \\", "required pam_cortex.so service=staging"),
       ("AUTH Required pam_cortex.so [service=staging]", "account required pam_cortex.so "
        "[config=/etc/my cortex/cortex.conf] service=staging"))
def test_pam_file_that_decides_is_fine(*lines):
    host = Host()
    host.write_pam("staging", *lines)
    assert findings(assert_exit(host.check(), 0)) == []


# --- as PostgreSQL's user ---

def test_files_are_met_as_another_user_meets_them():
    if os.geteuid() != 0:
        return
    host = Host()
    host.home.chmod(0o755)
    assert_finding(host, 1, f"{host.conf}:10", "Permission denied", "--as", "nobody")
    trail = pathlib.Path(f"/tmp/cortex-nobody-{os.getpid()}.jsonl")
    host.rest[4] = f"file = {trail}"
    host.configure(*host.section, *host.rest, name="cortex.conf")
    assert_finding(host, 1, f"{host.conf}:12", "bindings: Permission denied", "--as", "nobody")
    for part in ("bindings", "replay", "requests", "sessions"):
        shutil.chown(host.state / part, "nobody")
    assert findings(assert_exit(host.check("--as", "nobody"), 0)) == []
    try:
        os.close(os.open(trail, os.O_CREAT | os.O_EXCL, 0o200))
        shutil.chown(trail, "nobody")
        assert_finding(host, 1, f"{host.conf}:10", f"{trail}: Permission denied", "--as", "nobody")
    finally:
        trail.unlink()
    (host.path / "jwks.json").chmod(0o600)
    assert_finding(host, 1, f"{host.conf}:4", "Permission denied", "--as", "nobody")
    host.entities.chmod(0o600)
    assert_exit(host.check("--as", "nobody"), 2, str(host.entities))
    host.conf.chmod(0o600)
    assert_exit(host.check("--as", "nobody"), 2, str(host.conf))
    assert findings(assert_exit(host.check("--as", "root"), 0)) == []


@cases("", "no-such-user", "0")
def test_user_that_is_none_is_refused(name):
    assert_exit(Host().check(f"--as={name}"), 2, "there is no user")


# --- service render ---

def render(host, name, *arguments):
    return ctl("service", "render", "--config", host.conf, *arguments, name)


def test_rendered_pam_file_passes_the_check():
    host = Host()
    text = assert_exit(render(host, "staging"), 0).stdout
    host.write_pam("staging", *text.split("\n\n")[0].splitlines())
    assert findings(assert_exit(host.check(), 0)) == []
    assert f"service=staging config={host.conf}" in text


def test_rendered_pam_file_names_the_configuration_by_an_absolute_path():
    host = Host()
    done = ctl("service", "render", "--config", host.conf.name, "staging", cwd=host.path)
    text = assert_exit(done, 0).stdout
    assert text.count(f" config={host.conf}\n") == 2, text


@cases(("my cortex", " [config={}]\n"), ("my-cortex[1", " config={}\n"), ("a#b", None), ("a\\b", None),
       ("a]b", None), ("a\nb", None))
def test_path_of_the_configuration_is_one_argument_to_pam(name, shown):
    host = Host()
    config = host.conf.rename(host.path / name)
    done = ctl("service", "render", "--config", config, "staging")
    if shown is None:
        assert assert_exit(done, 2, "cannot stand in a PAM file").stdout == ""
    else:
        assert assert_exit(done, 0).stdout.count(shown.format(config)) == 2, done.stdout


def test_rendered_hba_lines_are_complete_and_in_order():
    lines = [line.split() for line in assert_exit(render(Host(), "staging"), 0).stdout.splitlines()
             if line.startswith(("local", "host"))]
    assert lines == [["local", "all", "postgres", "peer"],
                     ["local", "replication", "postgres", "peer"],
                     ["hostssl", "analytics", "+cortex_managed", "all", "pam",
                      "pamservice=cortex-staging"],
                     ["local", "all", "all", "reject"], ["host", "all", "all", "all", "reject"]]


def test_rendered_hba_lines_have_that_of_roles_just_in_time_above_all_others():
    host = Host()
    host.configure(*host.section, *host.rest, "[roles]", "jit = yes", "jit_conninfo = host=/run/postgresql port=5432 "
                   "user=cortex_jit requirepeer=pgsql dbname=home", name="cortex.conf")
    text = assert_exit(render(host, "staging"), 0).stdout
    lines = [line.split() for line in text.splitlines() if line.startswith(("local", "host"))]
    assert lines[0] == ["local", "home", "cortex_jit", "peer", "map=cortex"], text
    assert lines[1][:3] == ["local", "all", "postgres"] and lines[3][:3] == ["hostssl", "analytics", "all"], text
    assert "pg_ident.conf: cortex  pgsql  cortex_jit\n" in text, text


def test_pam_service_is_lower_case_as_linux_pam_reads_it():
    host = Host()
    host.describe(service("Staging", "staging"))
    text = assert_exit(render(host, "Staging"), 0).stdout
    assert "pamservice=cortex-staging\n" in text and "service=Staging" in text


@cases(("all", '"all"'), ("replication", '"replication"'), ("my db", '"my db"'), ("ü", '"ü"'),
       ("a,b", '"a,b"'), ("+x", '"+x"'), ("plain_1-x", "plain_1-x"))
def test_database_is_quoted_where_pg_hba_would_misread_it(name, shown):
    host = Host()
    host.describe(service("staging", "staging", database=name))
    lines = assert_exit(render(host, "staging"), 0).stdout.splitlines()
    line = next(line for line in lines if line.startswith("hostssl"))
    assert line.startswith("hostssl   " + shown + " "), line


@cases("a\"b", "a\nb", "a\tb", "/x")
def test_database_that_cannot_stand_in_pg_hba_is_refused(name):
    host = Host()
    host.describe(service("staging", "staging", database=name))
    assert assert_exit(render(host, "staging"), 2, "pg_hba.conf").stdout == ""


@cases("a/b", "../x", "a b", "x\n", "ü")
def test_service_that_can_be_no_pam_file_is_refused_and_warned_of(name):
    host = Host()
    host.describe(service(name, "staging"))
    assert assert_exit(render(host, name), 2, "/etc/pam.d").stdout == ""
    assert_exit(host.check(), 0, "Invalid argument")


@cases("", "Staging", "nix")
def test_unknown_service_is_refused(name):
    assert_exit(render(Host(), name), 2, f'no Service::"{name}"')


def test_render_needs_files_that_load():
    host = Host()
    host.entities.unlink()
    assert_exit(render(host, "staging"), 2, str(host.entities))
    assert_exit(ctl("service", "render", "--config", "/nonexistent", "x"), 2, "/nonexistent: ")


def test_configuration_for_verify_alone_names_what_lacks():
    issuer = Issuer()
    issuer.configure(*issuer.conf.read_text(encoding="utf-8").splitlines(), "[policy]",
                     "path = /nonexistent/policies", "[audit]", "file = /nonexistent/audit.jsonl")
    assert_exit(ctl("check", "--config", issuer.conf), 2, "/nonexistent/policies")
