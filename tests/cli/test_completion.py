"""Completion and help: they know every command and option that the programs know.

SPDX-License-Identifier: PostgreSQL
"""
import re
import subprocess

from support import BUILD, SOURCE, assert_exit, cases, ctl

PROGRAMS = ("cortexctl", "cortex-login", "cortex-sync")
SCRIPT = SOURCE / "packaging" / "completion" / "cortex.bash"


def path(name):
    return str(BUILD / "tools" / name / name)


def help_of(name, *command):
    return subprocess.run([path(name), *command, "--help"], capture_output=True, text=True, check=True).stdout


def commands(name):
    return re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)  +", help_of(name), re.M)


def complete(name, *words):
    """What bash offers for the last word."""
    script = f'. "{SCRIPT}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cortex; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script, "bash", path(name), *words], capture_output=True, text=True, check=True)
    assert done.stderr == "", done.stderr
    return sorted(filter(None, done.stdout.split("\n")))


@cases("cortexctl", "cortex-login")
def test_first_words_of_all_commands_are_offered(name):
    words = commands(name)
    assert words and complete(name, "") == sorted({word.split()[0] for word in words})


def test_second_words_are_offered():
    two = [word.split() for word in commands("cortexctl") if " " in word]
    assert len(two) > 5
    for first in {first for first, _ in two}:
        assert complete("cortexctl", first, "") == sorted(second for one, second in two if one == first)


def test_options_of_a_command_are_offered():
    for command in [*commands("cortexctl")[::4], "saml metadata"]:
        options = re.findall(r"^  (--[a-z-]+)", help_of("cortexctl", *command.split()), re.M)
        assert complete("cortexctl", *command.split(), "--") == sorted(options), command


def test_a_program_without_commands_offers_its_options():
    assert "--apply" in complete("cortex-sync", "--a") and complete("cortex-sync", "--nonsense") == []


@cases(*PROGRAMS)
def test_zsh_and_fish_have_a_file_for_each_program(name):
    assert name in (SCRIPT.parent / "_cortexctl").read_text(encoding="utf-8").splitlines()[0]
    fish = (BUILD / "packaging" / "completion" / f"{name}.fish").read_text(encoding="utf-8")
    assert f"complete -c {name} " in fish and "@" not in fish


def test_help_of_a_command_is_that_of_its_option():
    for command in commands("cortexctl"):
        done = assert_exit(ctl("help", *command.split()), 0)
        assert done.stdout.startswith(f"Usage: cortexctl {command} "), done.stdout
    assert ctl("help", "audit", "verify").stdout == help_of("cortexctl", "audit", "verify")
    assert ctl("help").stdout == help_of("cortexctl")


@cases(("nonsense",), ("audit",), ("audit", "nonsense"), ("check", "more"))
def test_help_of_what_is_no_command_is_refused(*words):
    assert assert_exit(ctl("help", *words), 2).stdout == ""
