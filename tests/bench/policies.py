"""A policy folder of a usual size: the one that decides, and others that do not fit.

SPDX-License-Identifier: PostgreSQL
"""
from cortex import POLICY

COUNT = 20


def others():
    """Policies that a login must look at, permits and forbids in turn."""
    for number in range(COUNT - 1):
        effect = "forbid" if number % 2 else "permit"
        yield (f'@id("team-{number}")\n'
               f'{effect} (principal in Group::"team-{number}", action == Action::"read", '
               f'resource in Database::"analytics")\n'
               f'when {{ context.mfa || resource.environment == "e-{number}" }};\n')


def write_policies(cortex):
    cortex.write(cortex.policies / "analytics.cedar", POLICY)
    cortex.write(cortex.policies / "others.cedar", "".join(others()))
