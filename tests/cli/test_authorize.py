"""authorize: decisions by line, request errors by line, file errors with a place.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re

from support import assert_exit, assert_usage, cases, ctl, folder

POLICIES = """\
permit (principal in Group::"engineers", action == Action::"read", resource)
when { resource.environment == "staging" };
forbid (principal == User::"mallory", action, resource);
permit (principal == User::"broken", action, resource) when { principal.absent };
permit (principal == ?principal, action, resource in ?resource);
"""
ENTITIES = [
    {"uid": {"type": "User", "id": "alice"}, "attrs": {}, "parents": [{"type": "Group", "id": "engineers"}]},
    {"uid": {"type": "User", "id": "mallory"}, "attrs": {}, "parents": [{"type": "Group", "id": "engineers"}]},
    {"uid": {"type": "User", "id": "broken"}, "attrs": {}, "parents": []},
    {"uid": {"type": "Service", "id": "s"}, "attrs": {"environment": "staging"},
     "parents": [{"type": "Database", "id": "d"}]},
    {"uid": {"type": "Service", "id": "p"}, "attrs": {"environment": "production"}, "parents": []},
]
LINKS = [{"template_id": "policy3", "link_id": "a \"link\" é",
          "args": {"?principal": 'User::"eve"', "?resource": 'Database::"d"'}}]
HOME = folder()


def write(name, content):
    path = HOME / name
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


GOOD = {"policies": write("p.cedar", POLICIES), "entities": write("e.json", ENTITIES),
        "requests": write("r.json", [])}


def authorize(*arguments, **files):
    every = [part for name, path in {**GOOD, **files}.items() for part in (f"--{name}", path)]
    return ctl("authorize", *every, *arguments)


def ask(requests, *arguments, **files):
    done = assert_exit(authorize(*arguments, requests=write("asked.json", requests), **files), 0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def request(user, service="s", action="read", **more):
    return {"principal": {"type": "User", "id": user}, "action": f'Action::"{action}"',
            "resource": {"type": "Service", "id": service}, "context": {}, **more}


def answer(decision, reason=(), errors=()):
    return {"decision": decision, "reason": list(reason), "errors": list(errors)}


@cases(("alice", "s", answer("Allow", ["policy0"])), ("alice", "p", answer("Deny")),
       ("mallory", "s", answer("Deny", ["policy1"])), ("nobody", "s", answer("Deny")),
       ("broken", "s", answer("Deny", [], ["policy2"])), ("eve", "s", answer("Deny")))
def test_decision_is_printed_as_the_contract_says(user, service, expected):
    assert ask([request(user, service)]) == [expected]


def test_every_request_has_its_line_in_order():
    users = ["alice", "nobody", "mallory", "alice"]
    assert [a["decision"] for a in ask([request(user) for user in users])] == \
        ["Allow", "Deny", "Deny", "Allow"]


def test_no_requests_no_lines():
    assert ask([]) == []


def test_links_are_used_and_their_ids_escaped():
    links = write("links.json", LINKS)
    assert ask([request("eve"), request("eve", "p")], links=links) == \
        [answer("Allow", ["a \"link\" é"]), answer("Deny")]


@cases({"principal": "User::alice"}, {"principal": 1}, {"principal": None}, {"action": "read"},
       {"action": {"type": "Action"}}, {"resource": []}, {"context": 1}, {"context": {"a": None}},
       {"context": {"a": 1.5}}, {"principal": {"type": "A :: B", "id": "x"}},
       {"context": {"x": {"__extn": {"fn": "ip", "arg": "no"}}}})
def test_request_that_is_none_has_its_error_on_its_line(change):
    answers = ask([request("alice"), {**request("alice"), **change}, request("alice")])
    assert answers[0] == answers[2] == answer("Allow", ["policy0"])
    assert set(answers[1]) == {"error"} and answers[1]["error"], answers[1]


@cases("principal", "action", "resource")
def test_request_that_lacks_a_part_has_its_error_on_its_line(part):
    broken = request("alice")
    del broken[part]
    assert set(ask([broken])[0]) == {"error"}


@cases(("policies", "permit (principal, action, resource)", ":1:"),
       ("policies", "permit (principal, action, resource);\nallow;", ":2:1: "),
       ("policies", "// ok\n  \xff", ":2:3: "), ("policies", "permit (principal, action, resource)\nwhen { 1 < 2 < 3 };", ":2:"),
       ("entities", "[", ":1:"), ("entities", "{}", ":1:1: "), ("entities", '[\n{"uid":1}]', ":2:"),
       ("entities", '[{"uid":{"type":"A","id":"a"},"attrs":{},"attrs":{},"parents":[]}]', ":1:"),
       ("entities", "\0", ":1:"), ("entities", "", ":1:"),
       ("requests", "{}", ":1:"), ("requests", "[1,]", ":1:"), ("requests", "", ":1:"),
       ("requests", "[{}", ":1:"), ("links", "{}", ":1:"), ("links", "[", ":1:"),
       ("links", '[{"template_id":"no","link_id":"x","args":{}}]', ":1:"))
def test_file_that_does_not_parse_is_named_with_its_place(name, content, place):
    path = write("bad", content.encode("latin-1"))
    done = assert_exit(authorize(**{name: path}), 2)
    assert done.stdout == "" and done.stderr.startswith(f"{path}{place}"), done.stderr
    assert re.match(re.escape(str(path)) + r":\d+:\d+: \S", done.stderr), done.stderr


@cases("policies", "entities", "requests", "links")
def test_file_that_cannot_be_read_is_named(name):
    assert_exit(authorize(**{name: "/nonexistent/x"}), 2, "cortexctl: /nonexistent/x: ")
    assert_exit(authorize(**{name: "/"}), 2, "cortexctl: /: Is a directory")


@cases("policies", "entities", "requests")
def test_every_file_is_needed(name):
    arguments = [part for key, path in GOOD.items() if key != name for part in (f"--{key}", path)]
    assert_usage(ctl("authorize", *arguments), f"--{name} FILE is needed")


def test_entity_cycle_is_refused():
    a, b = {"type": "G", "id": "a"}, {"type": "G", "id": "b"}
    path = write("cycle.json", [{"uid": a, "attrs": {}, "parents": [b]},
                                {"uid": b, "attrs": {}, "parents": [a]}])
    assert_exit(authorize(entities=path), 2, "cycle")


def test_time_is_told_on_standard_error_only():
    requests = write("timed.json", [request("alice"), request("mallory")])
    plain, timed = authorize(requests=requests), authorize("--time", requests=requests)
    assert plain.stdout == timed.stdout and plain.stderr == ""
    median, p99 = re.fullmatch(r"median (\d+) ns p99 (\d+) ns\n", timed.stderr).groups()
    assert 0 < int(median) < int(p99), timed.stderr


@cases([], [{"principal": 1}])
def test_nothing_to_time_is_said(requests):
    done = assert_exit(authorize("--time", requests=write("none.json", requests)), 0)
    assert "no request" in done.stderr
