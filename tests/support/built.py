"""The programs of a build, run without libtool's wrapper: a shell script that takes longer than most of them.

SPDX-License-Identifier: PostgreSQL
"""


def program(build, name):
    """The program itself; where it needs no wrapper, it lies beside its objects."""
    folder = build / "tools" / name
    linked = folder / ".libs" / name
    return linked if linked.exists() else folder / name


def environment(build):
    """What the wrapper would set: where the library of this build is."""
    return {"LD_LIBRARY_PATH": str(build / "libcortexauth" / ".libs")}
