"""A private copy of a PostgreSQL installation that holds our SQL extension too.

PostgreSQL finds its share folder relative to its own program, so a copied program
finds one where files can be added without touching the system.
SPDX-License-Identifier: PostgreSQL
"""
import os
import shutil
from pathlib import Path

from harness import BUILD, HERE, postgres_bin


def private_tree(root, installed=None):
    """Gives the folder of programs of a copy below root."""
    installed = Path(installed or postgres_bin())
    version = installed.parent.name
    lib = root / "lib" / "postgresql" / version
    share = root / "share" / "postgresql" / version
    (lib / "bin").mkdir(parents=True)
    (share / "extension").mkdir(parents=True)
    for program in ("postgres", "initdb", "psql", "pg_dump", "pg_dumpall", "pg_restore"):
        shutil.copy2(installed / program, lib / "bin")
    os.symlink(installed.parent / "lib", lib / "lib")
    for entry in Path("/usr/share/postgresql", version).iterdir():
        if entry.name != "extension":
            os.symlink(entry, share / entry.name)
    for entry in Path("/usr/share/postgresql", version, "extension").iterdir():
        os.symlink(entry, share / "extension" / entry.name)
    for entry in [*(HERE.parents[1] / "extension").glob("*.control"), *(BUILD / "extension").glob("cortex--*.sql")]:
        shutil.copy2(entry, share / "extension")
    return lib / "bin"
