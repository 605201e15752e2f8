"""policy format: other blanks, the same policies and comments.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re

from support import SOURCE, assert_exit, cases, ctl


def format_text(text):
    return assert_exit(ctl("policy", "format", "-", stdin=text.encode("utf-8", "surrogateescape")), 0).stdout


def meaning(text):
    done = ctl("policy", "to-json", "-", stdin=text.encode("utf-8", "surrogateescape"))
    return json.loads(assert_exit(done, 0).stdout)


def comments(text):
    """Outside strings."""
    return [found.rstrip() for found in re.findall(r'"(?:\\.|[^"\\])*"|(//[^\n\r]*)', text) if found]


def assert_formats(text):
    once = format_text(text)
    assert meaning(once) == meaning(text), once
    assert comments(once) == comments(text), once
    assert format_text(once) == once, once
    return once


WILD = """\
// of the file
@id ( "a" )   // the id
@reason("r")
permit(principal in
  Group::"g",action in[Action::"read",Action::"write"],resource
  // before the bracket
) // behind the head
when{principal.tags.contains("x")&&!(resource.port<-1)&&context.a["b"].contains(1)==[1,-2]&&{a:1,"b":{}}.a>0||(if true then 1-1==0 else -1-2>3)}
unless { // first
  true // last
}
; // behind the end


// alone

// above
forbid(principal,action,resource);permit (principal == ?principal, action, resource is A::B in C::"d",);
// end"""

TIDY = """\
// of the file
@id("a")  // the id
@reason("r")
permit (
  principal in Group::"g",
  action in [Action::"read", Action::"write"],
  resource
  // before the bracket
)  // behind the head
when {
  principal.tags.contains("x") && !(resource.port < -1) && context.a["b"].contains(1) == [1, -2] && { a: 1, "b": {} }.a > 0 ||
  (if true then 1 - 1 == 0 else -1 - 2 > 3)
}
unless {  // first
  true  // last
};  // behind the end

// alone

// above
forbid (principal, action, resource);

permit (
  principal == ?principal,
  action,
  resource is A::B in C::"d",
);

// end
"""


def test_text_is_laid_out_anew():
    assert assert_formats(WILD) == TIDY


def test_every_policy_of_the_cases_keeps_its_meaning():
    count = 0
    for path in sorted(SOURCE.glob("tests/cases/cedar*/*.case")):
        for text in re.findall(r"(?ms)^--- policies.*?\n(.*?)(?=^--- |\Z)", path.read_text(encoding="utf-8")):
            if ctl("policy", "to-json", "-", stdin=text.encode()).returncode == 0 and text.strip():
                assert_formats(text)
                count += 1
    assert count > 10, count


@cases("", "\n\n", "// only\n", "// only", "// one\r// two\r\n")
def test_without_policies_the_comments_remain(text):
    assert comments(format_text(text)) == comments(text)


@cases("permit", "permit (principal, action, resource)", "x;", '"', "permit (principal, action, resource) when {};")
def test_what_does_not_parse_is_exit_2_with_its_place(text):
    done = assert_exit(ctl("policy", "format", "-", stdin=text.encode()), 2)
    assert done.stdout == "" and done.stderr.startswith("standard input:1:"), done.stderr
