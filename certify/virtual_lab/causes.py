"""Why a boot failed, as far as the console's last lines tell."""

import re

STACK_TRACE = re.compile(r"^\s*(\[<[0-9a-f]+>\]|[0-9a-f]{8,16} [0-9a-f]{8,16}|Stack:|Call Trace:)")

CAUSES = (
    (
        "ptrace set fp regs failed",
        "User Mode Linux cannot save this processor's floating point state (AMX) and its shim was "
        "not loaded",
    ),
    ("Out of memory", "no memory: the guest ran out of memory"),
    ("No space left on device", "no memory: the folder for the guest's memory file is full"),
    ("Unable to mount root fs", "the host's root file system could not be mounted in the guest"),
    ("insmod: ERROR", "module missing: a kernel module that the guest needs could not be loaded"),
    ("modprobe: FATAL", "module missing: a kernel module that the lab needs is not there"),
    ("No module named", "package missing: the guest's Python lacks a package of the suite"),
    ("Could not access KVM", "KVM cannot be used: /dev/kvm refuses"),
    ("Kernel panic", "the guest kernel panicked"),
)


def likely_cause(console: str) -> str:
    """Return the cause that the console's text gives away, "" if none is known."""
    return next((cause for sign, cause in CAUSES if sign in console), "")


def last_lines(console: str, count: int = 12) -> str:
    """Return the last lines of the console that a reader can use, as a block for a message."""
    lines = [
        line.rstrip()
        for line in console.splitlines()
        if line.strip() and not STACK_TRACE.match(line)
    ]
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (the console is empty)"
