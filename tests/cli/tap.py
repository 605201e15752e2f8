"""Runs the test_ functions of one file and prints TAP (Test Anything Protocol 12).

A function that @cases marks runs once per case. A file with a list LACKS that
is not empty is skipped with what it names.
SPDX-License-Identifier: PostgreSQL
"""
import importlib.util
import os
import sys
import traceback


def load(path):
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("tests_of_this_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def collect(module):
    for name, function in list(vars(module).items()):
        if name.startswith("test_") and callable(function):
            for case in getattr(function, "cases", [()]):
                shown = " ".join(str(part)[:60] for part in case)
                yield f"{name[5:]} {ascii(shown) if shown else ''}".strip().replace("#", "."), function, case


def main():
    module = load(sys.argv[1])
    if getattr(module, "LACKS", None):
        print("1..0 # SKIP missing: " + ", ".join(module.LACKS))
        return 0
    tests = list(collect(module))
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (name, function, case) in enumerate(tests, 1):
        try:
            function(*case)
            print(f"ok {number} - {name}", flush=True)
        except BaseException:  # a test that stops the run must not look like success
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()),
                  end="", flush=True)
    return 1 if failed else 0


sys.exit(main())
