"""audit verify and audit rotate: what they say of a trail that is whole, and of every other.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import re
import shutil
import subprocess

from support import BUILD, ENVIRONMENT, ISSUER, assert_exit, assert_usage, cases, ctl, folder, one_object

TRAIL = BUILD / "tests" / "cli" / "trail"


def write(path, count):
    subprocess.run([str(TRAIL), str(path), str(count)], check=True, env=ENVIRONMENT)
    return path


def trail(count=10):
    return write(folder() / "audit.jsonl", count)


WHOLE = trail()


def changed(change):
    """A copy with its lines changed."""
    path = folder() / "audit.jsonl"
    lines = WHOLE.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))
    return path


def verify(*arguments):
    """Text and JSON of the same question; they must agree."""
    text, data = ctl("audit", "verify", *arguments), ctl("audit", "verify", "--json", *arguments)
    assert text.returncode == data.returncode, (text, data)
    answer = one_object(data.stdout)
    assert answer["intact"] == (text.returncode == 0), answer
    assert ("NOT intact" in text.stdout) == (not answer["intact"]), text.stdout
    for finding in answer["findings"]:
        assert finding["text"] in text.stdout
    return text, answer


def breaks(answer):
    return [finding["kind"] for finding in answer["findings"] if finding["break"]]


def test_whole_trail_is_intact():
    text, answer = verify(WHOLE)
    assert_exit(text, 0)
    assert answer["records"] == 10 and answer["findings"] == [] and answer["breaks"] == 0
    assert (answer["first_seq"], answer["last_seq"]) == (1, 10)
    assert re.fullmatch("[0-9a-f]{64}", answer["last_hash"])
    assert f"10:{answer['last_hash']}" in text.stdout and "no anchor was given" in text.stdout


def test_empty_trail_is_intact():
    path = folder() / "audit.jsonl"
    path.write_bytes(b"")
    assert verify(path)[1]["records"] == 0


@cases(b'"staging"', b'"alice"', b'"pid":5', b'"allow"')
def test_edited_line_is_named(what):
    def edit(lines):
        assert what in lines[4]
        lines[4] = lines[4].replace(what, what[:-2] + b"x" + what[-1:], 1)
        return lines
    path = changed(edit)
    text, answer = verify(path)
    assert_exit(text, 1)
    assert "edited" in breaks(answer), answer
    assert f"{path}:5:" in text.stdout, text.stdout


def test_removed_line_is_named():
    path = changed(lambda lines: lines[:4] + lines[5:])
    text, answer = verify(path)
    assert breaks(answer) == ["removed"] and answer["findings"][0]["seq"] == 5, answer
    assert f"{path}:5:" in text.stdout


def test_reordered_lines_are_named():
    path = changed(lambda lines: lines[:4] + [lines[5], lines[4]] + lines[6:])
    assert breaks(verify(path)[1]) == ["reordered", "reordered"], "two lines changed places"
    text, _ = verify(changed(lambda lines: lines[:2] + [lines[6]] + lines[2:6] + lines[7:]))
    assert ":3: reordered: " in text.stdout, "the line that was moved to the front"


def test_doubled_line_is_named():
    assert "duplicated" in breaks(verify(changed(lambda lines: lines[:5] + lines[4:]))[1])


def test_torn_end_is_named():
    text, answer = verify(changed(lambda lines: lines[:-1] + [lines[-1][:20]]))
    assert_exit(text, 1)
    assert "torn" in breaks(answer)


@cases(b"", b"{}\n", b"null\n", b"\0\n", b"\xff\xfe\n", b"{" * 5000 + b"\n", b"x" * 100000 + b"\n")
def test_foreign_line_is_never_intact(line):
    if line:
        assert_exit(verify(changed(lambda lines: lines[:5] + [line] + lines[5:]))[0], 1)


def test_cut_tail_shows_against_an_anchor_only():
    anchor = json.loads(ctl("audit", "verify", "--json", WHOLE).stdout)
    name = f"{anchor['last_seq']}:{anchor['last_hash']}"
    cut = changed(lambda lines: lines[:7])
    assert_exit(verify(cut)[0], 0)
    assert breaks(verify("--anchor", name, cut)[1]) == ["cut"]
    whole = verify("--anchor", name, WHOLE)[1]
    assert whole["intact"] and whole["anchors_met"] == 1


def test_trail_written_anew_shows_against_an_anchor_only():
    other = trail()
    anchor = json.loads(ctl("audit", "verify", "--json", WHOLE).stdout)
    assert_exit(verify(other)[0], 0)
    assert "anchor" in breaks(verify("--anchor", f"10:{anchor['last_hash']}", other)[1])


def test_anchors_come_from_lines_of_a_log():
    anchor = json.loads(ctl("audit", "verify", "--json", WHOLE).stdout)
    log = folder() / "auth.log"
    log.write_text("Nov 23 15:00:00 db1 sshd[1]: nothing\n"
                   f"Nov 23 15:00:01 db1 cortex: anchor 10:{anchor['last_hash']} end\n",
                   encoding="utf-8")
    assert verify("--anchors", log, WHOLE)[1]["anchors_met"] == 1
    assert breaks(verify("--anchors", log, changed(lambda lines: lines[:7]))[1]) == ["cut"]


@cases("", "Nov 23 15:00:00 db1 sshd[1]: nothing\n", f"anchor 10:{'a' * 63}\n")
def test_log_without_anchors_does_not_pass_for_one(lines):
    log = folder() / "auth.log"
    log.write_text(lines, encoding="utf-8")
    text = verify("--anchors", log, WHOLE)[0]
    assert_exit(text, 0)
    assert "anchors met: 0;" in text.stdout and "no anchor was met: records cut" in text.stdout, text.stdout


@cases("", "1", "1:", ":" + "a" * 64, "1:" + "a" * 63, "1:" + "a" * 65, "x:" + "a" * 64,
       "-1:" + "a" * 64, "1:" + "g" * 64, "1 :" + "a" * 64)
def test_anchor_that_is_none_is_refused(text):
    assert_usage(ctl("audit", "verify", f"--anchor={text}", WHOLE), "--anchor")


@cases("/nonexistent", "/", "")
def test_file_that_cannot_be_read_is_bad_input(path):
    assert assert_exit(ctl("audit", "verify", path), 2).stdout == ""
    done = assert_exit(ctl("audit", "verify", "--anchors", path, WHOLE), 2)
    assert done.stdout == "" and "audit file" not in done.stderr, done.stderr


def test_either_files_or_configuration():
    assert_usage(ctl("audit", "verify", "--config", "/etc/x", WHOLE), "not both")


# --- rotation ---

def configured():
    home = folder()
    conf = home / "cortex.conf"
    conf.write_text(f'[oidc "x"]\nissuer = {ISSUER}\naudience = a\njwks_file = /nonexistent\n'
                    f"[audit]\nfile = {home}/audit[1].jsonl\n", encoding="utf-8")
    return conf, home / "audit[1].jsonl"


def test_rotation_keeps_the_chain_and_verify_finds_the_kept_files():
    conf, file = configured()
    for count in (3, 4):
        write(file, count)
        kept = assert_exit(ctl("audit", "rotate", "--config", conf), 0).stdout.strip()
        assert re.fullmatch(re.escape(str(file)) + r"\.\d{12}", kept), kept
    write(file, 2)
    text, answer = verify("--config", conf)
    assert_exit(text, 0)
    assert answer["first_seq"] == 1 and answer["notes"] == 0 and answer["last_seq"] >= 9
    os.unlink(kept)
    assert_exit(ctl("audit", "verify", "--config", conf), 1)


@cases((".1", ".2", ".10"), ("-20261109", "-20261102", "-20261026"), (".1", ".2", ".000000000001"))
def test_what_logrotate_kept_is_found_in_the_order_of_the_chain(*newest_first):
    conf, file = configured()
    for end in reversed(newest_first):
        write(file, 2)
        file.rename(str(file) + end)
    file.touch()
    for other in (".gz", ".refusals", ".bak", ".1.gz", "-old"):
        (file.parent / (file.name + other)).write_bytes(b"none of the trail's")
    text, answer = verify("--config", conf)
    assert_exit(text, 0)
    assert answer["first_seq"] == 1 and answer["notes"] == 0 and answer["last_seq"] >= 6, answer
    os.unlink(str(file) + newest_first[1])
    assert_exit(ctl("audit", "verify", "--config", conf), 1, "")


def test_kept_file_that_is_none_is_named():
    conf, file = configured()
    write(file, 1)
    os.mkfifo(str(file) + ".1")
    assert_exit(ctl("audit", "verify", "--config", conf), 2, f"{file}.1: ")


def test_kept_file_that_changed_is_named():
    conf, file = configured()
    write(file, 3)
    kept = assert_exit(ctl("audit", "rotate", "--config", conf), 0).stdout.strip()
    with open(kept, "r+b") as stream:
        content = stream.read().replace(b"alice", b"mallo", 1)
        stream.seek(0)
        stream.write(content)
    text = ctl("audit", "verify", "--config", conf)
    assert_exit(text, 1)
    assert kept + ":" in text.stdout


def test_file_alone_says_that_it_continues_another():
    conf, file = configured()
    write(file, 3)
    ctl("audit", "rotate", "--config", conf)
    answer = verify(file)[1]
    assert answer["intact"] and [f["kind"] for f in answer["findings"]] == ["continued"]


def test_nothing_to_rotate_is_fine():
    conf, file = configured()
    file.write_bytes(b"")
    assert assert_exit(ctl("audit", "rotate", "--config", conf), 0).stdout == ""


def test_rotation_without_folder_is_an_outside_failure():
    conf, file = configured()
    write(file, 1)
    text = conf.read_text(encoding="utf-8").replace(str(file), "/nonexistent/audit.jsonl")
    conf.write_text(text, encoding="utf-8")
    done = ctl("audit", "rotate", "--config", conf)
    assert done.returncode in (0, 3) and done.stdout == "", done
    shutil.rmtree(file.parent)


def test_missing_configured_file_is_named():
    conf, file = configured()
    assert_exit(ctl("audit", "verify", "--config", conf), 2, str(file))


@cases(("audit", "rotate"), ("audit", "verify"))
def test_wrong_configuration_is_named(*command):
    assert_exit(ctl(*command, "--config", "/nonexistent.conf"), 2, "/nonexistent.conf: ")
