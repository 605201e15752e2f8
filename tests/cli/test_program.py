"""The command line itself: commands, options, help, version, exit codes, reason codes.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re
import subprocess

from support import CORTEXCTL, ENVIRONMENT, SOURCE, assert_exit, assert_usage, cases, ctl

COMMANDS = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  +\S",
                      ctl("--help").stdout.split("Commands:\n")[1], re.MULTILINE)
MANUAL = (SOURCE / "tools" / "cortexctl" / "cortexctl.8").read_text(encoding="utf-8")


def help_of(command):
    return assert_exit(ctl(*command.split(), "--help"), 0).stdout


def options_of(command):
    return re.findall(r"^  --([a-z-]+)", help_of(command), re.MULTILINE)


def section_of(command):
    """The part of the manual that describes a command."""
    found = re.search(r"^\.Ss " + re.escape(command) + r"$(.*?)(?=^\.S[sh] )", MANUAL,
                      re.MULTILINE | re.DOTALL)
    assert found, f"cortexctl.8 has no section on {command}"
    return found.group(1)


def test_there_are_commands():
    assert "verify" in COMMANDS and "codes" in COMMANDS, COMMANDS


@cases(*COMMANDS)
def test_every_command_has_help_and_version(command):
    assert help_of(command).startswith(f"Usage: cortexctl {command} ")
    assert re.fullmatch(r"cortexctl \(Cortex PostgreSQL\) \d+\.\d+\.\d+\n",
                        assert_exit(ctl(*command.split(), "--version"), 0).stdout)


@cases(*COMMANDS)
def test_every_command_and_option_is_in_the_manual(command):
    text = section_of(command)
    for option in set(options_of(command)) - {"help", "version"}:
        assert re.search(r"Fl Fl " + re.escape(option.replace("-", "\\-")) + r"\b", text) or \
            re.search(r"Fl Fl " + re.escape(option) + r"\b", text), f"--{option} of {command}"


@cases(*COMMANDS)
def test_every_option_of_the_manual_exists(command):
    known = set(options_of(command))
    for option in re.findall(r"^\.It Fl Fl ([a-z-]+)", section_of(command), re.MULTILINE):
        assert option in known, f"cortexctl.8 describes --{option} of {command}"


def test_every_command_of_the_manual_exists():
    described = re.findall(r"^\.Ss (.*)$", MANUAL.split(".Sh COMMANDS")[1].split("\n.Sh ")[0],
                           re.MULTILINE)
    assert sorted(described) == sorted(COMMANDS)


@cases(*COMMANDS)
def test_unknown_option_is_refused(command):
    assert_usage(ctl(*command.split(), "--no-such-option"), "--no-such-option")


@cases("", "no-such-command", "--no-such-option", "audit", "audit no-such-command", "VERIFY", "ver")
def test_unknown_command_is_refused(command):
    assert_usage(ctl(*command.split()), "")


def test_option_given_twice_is_refused():
    assert_usage(ctl("verify", "--config", "a", "--config", "b", "-"), "--config is given twice")


@cases(("check", "--config"), ("check", "--pam-folder"), ("audit verify", "--anchors"))
def test_file_without_a_name_is_refused(command, option):
    assert_usage(ctl(*command.split(), option, ""), f"{option}: the name is empty")


@cases(("verify", "CREDENTIAL_FILE|-"), ("policy test", "DIR"), ("dev-token --user alice", "DIR"),
       ("audit verify", "[FILE]..."))
def test_file_operand_without_a_name_is_refused(command, operand):
    assert_usage(ctl(*command.split(), ""), f"{operand}: the name is empty")


def test_missing_operand_is_refused():
    assert_usage(ctl("verify"), "CREDENTIAL_FILE|- is missing")


def test_superfluous_operand_is_refused():
    assert_usage(ctl("codes", "more"), "unexpected argument 'more'")


@cases("x", "", "1x", " 1", "1.0", "0x10", "99999999999999999999", "-1")
def test_number_that_is_none_is_refused(text):
    assert_usage(ctl("verify", f"--at={text}", "-"), "is not a whole number")


def test_options_may_follow_operands():
    assert_exit(ctl("verify", "/nonexistent", "--config", "/nonexistent.conf"), 2,
                "/nonexistent.conf: ")


def test_control_characters_are_not_echoed():
    done = ctl("no\033[31m\nsuch")
    assert_exit(done, 2)
    assert "\033" not in done.stderr and "no?[31m?such" in done.stderr


def test_answer_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(CORTEXCTL), "codes"], stdout=full, stderr=subprocess.PIPE,
                              check=False, env=ENVIRONMENT)
    assert done.returncode == 3 and b"standard output" in done.stderr


def test_codes_are_those_of_the_library():
    reasons = (SOURCE / "libcortexauth/include/cortexauth/reason.def").read_text(encoding="utf-8")
    names = re.findall(r"^REASON\([A-Z_]+, ([a-z_]+),", reasons, re.MULTILINE)
    codes = json.loads(assert_exit(ctl("codes", "--json"), 0).stdout)
    assert [code["code"] for code in codes] == names and len(names) > 50
    for code in codes:
        assert code["pam"].startswith("PAM_") and code["sentence"] and code["exit"] in range(4)
        assert (code["pam"] == "PAM_SUCCESS") == (code["code"] == "ok") == (code["exit"] == 0)


def test_codes_are_a_table():
    lines = assert_exit(ctl("codes"), 0).stdout.splitlines()
    assert lines[0].split() == ["CODE", "CLASS", "PAM", "EXIT", "MEANING"]
    expired = next(line for line in lines if line.startswith("token_expired "))
    assert expired.split()[1:4] == ["credential", "PAM_AUTH_ERR", "1"]
