"""What processes and the machine use, read from /proc (Linux), and waiting for a quiet moment."""

import os
import time

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """`pid` and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    stat = file.read()
            except OSError:
                continue
            children.setdefault(int(stat[stat.rindex(")") + 2:].split()[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def usage(pid):
    """(CPU seconds, proportional memory in MiB, processes) of the tree under `pid`."""
    cpu = memory = count = 0
    for one in tree(pid):
        try:
            with open(f"/proc/{one}/stat") as file:
                fields = file.read()
            with open(f"/proc/{one}/smaps_rollup") as file:
                lines = dict(line.split(":", 1) for line in file.read().splitlines()[1:])
        except (OSError, ValueError):
            continue  # it ended while we looked
        fields = fields[fields.rindex(")") + 2:].split()
        cpu += (int(fields[11]) + int(fields[12])) / TICK
        memory += int(lines["Pss"].split()[0]) / 1024
        count += 1
    return cpu, round(memory, 1), count


def machine_busy():
    """CPU seconds the whole machine has spent so far, neither idle nor waiting for I/O."""
    with open("/proc/stat") as file:
        values = [int(text) for text in file.readline().split()[1:9]]
    return (sum(values) - values[3] - values[4]) / TICK


def own_busy():
    """CPU seconds of this process and of the children it has waited for (the load generator)."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def wait_quiet(cores, patience):
    """Waits, at most `patience` seconds, until the rest of the machine uses less than `cores`."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        busy, own, begun = machine_busy(), own_busy(), time.monotonic()
        time.sleep(0.4)  # the time over which use is averaged
        used = (machine_busy() - busy - (own_busy() - own)) / (time.monotonic() - begun)
        if used < cores:
            return True
    return False


def settle(pid, patience=15.0):
    """Waits until the tree under `pid` is idle: requests of the run before are done."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = usage(pid)[0]
        time.sleep(0.15)  # the time over which use is averaged
        if usage(pid)[0] - before <= 0.02:
            return
