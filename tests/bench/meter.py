"""Measuring: CPU of a server with all its children, medians and their intervals.

SPDX-License-Identifier: PostgreSQL
"""
import math
import os
import statistics
from pathlib import Path


class Cpu:
    """CPU milliseconds of a process and what it starts from now on: to the nanosecond
    by a control group of its own, else in clock ticks from /proc."""

    def __init__(self, pid):
        self.pid = pid
        self.group = next((g for g in map(self._make_group, self._roots()) if g), None)

    @staticmethod
    def _roots():
        return [Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup")]

    def _make_group(self, root):
        group = root / f"cortex-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            return None
        try:
            (group / "cgroup.procs").write_text(str(self.pid), encoding="ascii")
            self._read(group)
        except OSError:
            group.rmdir()
            return None
        return group

    @staticmethod
    def _read(group):
        usage = group / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text(encoding="ascii")) / 1e6
        stat = (group / "cpu.stat").read_text(encoding="ascii").split()
        return int(stat[stat.index("usage_usec") + 1]) / 1e3

    def milliseconds(self):
        if self.group:
            return self._read(self.group)
        return sum(self._fields()[10:14]) * 1000 / os.sysconf("SC_CLK_TCK")

    def faults(self):
        """Page faults of children that have ended."""
        return self._fields()[7]

    def _fields(self):
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        return [int(field) for field in stat.rpartition(") ")[2].split()[1:]]

    def source(self):
        return f"control group {self.group.parent}" if self.group else "/proc (clock ticks)"

    def close(self):
        """When the processes are gone."""
        if self.group:
            self.group.rmdir()


def median_and_interval(values):
    """The median and its distribution-free interval of at least 95 % (order statistics)."""
    ordered = sorted(values)
    count = len(ordered)
    below, rank = 0.0, 0
    while rank < count // 2:
        below += math.comb(count, rank) / 2 ** count
        if below > 0.025:
            break
        rank += 1
    low = max(rank - 1, 0)
    return statistics.median(ordered), ordered[low], ordered[count - 1 - low]
