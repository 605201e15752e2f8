"""validate, policy to-json and from-json, and authorize with a schema.

SPDX-License-Identifier: PostgreSQL
"""
import json

from support import assert_exit, assert_usage, cases, ctl, folder, one_object

SCHEMA = """\
entity User { name: String };
entity Doc { owner: User };
action "read" appliesTo { principal: User, resource: Doc, context: { ip?: ipaddr } };
"""
SCHEMA_JSON = {"": {
    "entityTypes": {"User": {"shape": {"type": "Record", "attributes": {"name": {"type": "String"}}}},
                    "Doc": {"shape": {"type": "Record", "attributes": {
                        "owner": {"type": "Entity", "name": "User"}}}}},
    "actions": {"read": {"appliesTo": {"principalTypes": ["User"], "resourceTypes": ["Doc"],
                                       "context": {"type": "Record", "attributes": {"ip": {
                                           "type": "Extension", "name": "ipaddr", "required": False}}}}}}}}
GOOD = """\
@id("own") permit (principal, action == Action::"read", resource) when { resource.owner == principal };
permit (principal == ?principal, action, resource);
"""
ENTITIES = [{"uid": {"type": "User", "id": "a"}, "attrs": {"name": "A"}, "parents": []},
            {"uid": {"type": "Doc", "id": "d"}, "attrs": {"owner": {"type": "User", "id": "a"}},
             "parents": []}]
LINKS = [{"template_id": "policy1", "link_id": "l", "args": {"?principal": 'User::"b"'}}]
HOME = folder()


def write(name, content):
    path = HOME / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


FILES = {"text": write("s.cedarschema", SCHEMA), "json": write("s.json", SCHEMA_JSON)}
POLICIES = write("good.cedar", GOOD)


def validate(text, *arguments, schema="text"):
    return ctl("validate", "--policies", write("asked.cedar", text), "--schema", FILES[schema], *arguments)


# --- validate ---

@cases("text", "json")
def test_valid_policies_are_exit_0(schema):
    done = assert_exit(validate(GOOD, schema=schema), 0)
    assert done.stdout == '{"valid":true,"errors":[],"warnings":[]}\n' and done.stderr == ""


@cases('permit (principal, action, resource) when { resource.absent };',
       'permit (principal, action, resource) when { 1 + "a" == 2 };',
       'permit (principal == Nobody::"x", action, resource);',
       'permit (principal, action == Action::"write", resource);',
       'permit (principal, action, resource) when { principal.name };',
       'permit (principal, action == Action::"read", resource) when { context.ip.isLoopback() };')
def test_invalid_policy_is_exit_1_with_its_place(text):
    answer = one_object(assert_exit(validate("// a comment\n" + text), 1).stdout)
    assert answer["valid"] is False and len(answer["errors"]) >= 1
    error = answer["errors"][0]
    assert set(error) == {"policy", "file", "line", "column", "message"}
    assert error["policy"] == "policy0" and error["line"] == 2 and error["column"] >= 1
    assert error["file"].endswith("asked.cedar") and error["message"]


@cases("permit", "permit (principal, action, resource)", "x;", "\0", '"', "permit (principal, action, resource) when {};")
def test_policy_that_does_not_parse_is_invalid(text):
    answer = one_object(assert_exit(validate(text), 1).stdout)
    assert answer["valid"] is False and answer["errors"][0]["line"] == 1


def test_policy_that_can_never_apply_is_a_warning():
    answer = one_object(assert_exit(validate(
        'permit (principal, action == Action::"read", resource) when { false };'), 0).stdout)
    assert answer["valid"] is True and answer["errors"] == [] and answer["warnings"]


def test_links_are_validated():
    links = write("links.json", LINKS)
    assert_exit(validate(GOOD, "--links", links), 0)
    wrong = write("links.json", [{**LINKS[0], "args": {"?principal": 'Nobody::"b"'}}])
    answer = one_object(assert_exit(validate(GOOD, "--links", wrong), 1).stdout)
    assert answer["errors"][0]["policy"] == "l", answer


@cases("entity", "entity User;\nentity User;", "action x appliesTo", "\0", "{}", "entity A in [B];")
def test_schema_that_does_not_parse_is_exit_2_with_its_place(text):
    path = write("bad.cedarschema", text)
    done = assert_exit(ctl("validate", "--policies", POLICIES, "--schema", path), 2)
    assert done.stdout == "" and done.stderr.startswith(f"{path}:"), done.stderr


@cases("", "[]", "{", '{"":{}}', '{"":{"entityTypes":{},"actions":{},"more":1}}', "entity User;")
def test_json_schema_that_does_not_parse_is_exit_2_with_its_place(text):
    path = write("bad.json", text)
    done = assert_exit(ctl("validate", "--policies", POLICIES, "--schema", path), 2)
    assert done.stdout == "" and done.stderr.startswith(f"{path}:"), done.stderr


@cases("policies", "schema", "links")
def test_file_that_cannot_be_read_is_exit_2(name):
    files = {"policies": POLICIES, "schema": FILES["text"], name: "/nonexistent/x"}
    arguments = [part for key, path in files.items() for part in (f"--{key}", path)]
    assert assert_exit(ctl("validate", *arguments), 2, "/nonexistent/x: ").stdout == ""


@cases("policies", "schema")
def test_both_files_are_needed(name):
    files = {"policies": POLICIES, "schema": FILES["text"]}
    del files[name]
    assert_usage(ctl("validate", *[part for key, path in files.items() for part in (f"--{key}", path)]),
                 f"--{name} FILE is needed")


# --- authorize with a schema ---

def authorize(requests, schema="text", entities=None):
    return ctl("authorize", "--policies", POLICIES, "--entities", write("e.json", entities or ENTITIES),
               "--schema", FILES[schema], "--requests", write("r.json", requests))


REQUEST = {"principal": 'User::"a"', "action": 'Action::"read"', "resource": 'Doc::"d"', "context": {}}


@cases("text", "json")
def test_schema_directs_the_reading(schema):
    requests = [REQUEST, {**REQUEST, "context": {"ip": "10.0.0.1"}}]
    lines = assert_exit(authorize(requests, schema), 0).stdout.splitlines()
    assert [json.loads(line) for line in lines] == \
        [{"decision": "Allow", "reason": ["policy0"], "errors": []}] * 2


@cases({"principal": 'Doc::"d"'}, {"resource": 'User::"a"'}, {"action": 'Action::"write"'},
       {"context": {"other": 1}}, {"context": {"ip": 1}}, {"context": {"ip": "x"}},
       {"principal": 'Nobody::"x"'})
def test_request_that_does_not_conform_has_its_error(change):
    lines = assert_exit(authorize([REQUEST, {**REQUEST, **change}]), 0).stdout.splitlines()
    assert json.loads(lines[0])["decision"] == "Allow"
    assert set(json.loads(lines[1])) == {"error"}, lines[1]


@cases([{"uid": {"type": "User", "id": "a"}, "attrs": {}, "parents": []}],
       [{"uid": {"type": "Nobody", "id": "a"}, "attrs": {}, "parents": []}],
       [{"uid": {"type": "User", "id": "a"}, "attrs": {"name": 1}, "parents": []}],
       [{"uid": {"type": "User", "id": "a"}, "attrs": {"name": "A"}, "parents": [{"type": "Doc", "id": "d"}]}])
def test_entities_that_do_not_conform_are_exit_2_with_their_place(entities):
    done = assert_exit(authorize([REQUEST], entities=entities), 2)
    assert done.stdout == "" and done.stderr.startswith(f"{HOME}/e.json:1:"), done.stderr


# --- policy to-json, from-json ---

def convert(command, text):
    return ctl("policy", command, "-", stdin=text.encode())


def test_policies_survive_both_ways():
    as_json = assert_exit(convert("to-json", GOOD), 0).stdout
    document = json.loads(as_json)
    assert document["staticPolicies"]["policy0"]["annotations"] == {"id": "own"}
    assert list(document["templates"]) == ["policy1"]
    text = assert_exit(convert("from-json", as_json), 0).stdout
    assert json.loads(assert_exit(convert("to-json", text), 0).stdout) == document
    assert_exit(validate(text), 0)


def test_json_policies_are_authorized_and_validated_by_their_name():
    path = write("good.json", convert("to-json", GOOD).stdout)
    done = assert_exit(ctl("authorize", "--policies", path, "--entities", write("e.json", ENTITIES),
                           "--schema", FILES["text"], "--requests", write("r.json", [REQUEST])), 0)
    assert json.loads(done.stdout)["reason"] == ["policy0"]
    assert_exit(ctl("validate", "--policies", path, "--schema", FILES["json"]), 0)


@cases(("to-json", "permit"), ("to-json", "{}"), ("from-json", GOOD), ("from-json", ""),
       ("from-json", "{}x"), ("from-json", '{"effect":"allow"}'), ("from-json", "[]"),
       ("from-json", '{"staticPolicies":{"a":1}}'), ("to-json", "\0"))
def test_input_of_the_wrong_form_is_exit_2_with_its_place(command, text):
    done = assert_exit(convert(command, text), 2)
    assert done.stdout == "" and done.stderr.startswith("standard input:1:"), done.stderr


def test_no_policies_are_an_empty_set():
    document = json.loads(assert_exit(convert("to-json", ""), 0).stdout)
    assert document["staticPolicies"] == {} and document["templates"] == {}
