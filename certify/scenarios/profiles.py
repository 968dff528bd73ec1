"""Which scenarios stand for what in the profiles, and how often a profile runs each."""

QUICK = ("B0", "P1", "E1k", "E2h", "A1", "A3")
GEAR = frozenset({"P2", "P5", "E3", "E4", "L2", "L3", "L4", "D4", "D5"})
"""Scenarios that no single virtual machine can express; a lab file names its means for them."""
ONE_MACHINE_CANNOT = GEAR | {"A7b"}
"""No Linux target can be made to answer BUSY; the others lack wires, machines or sites."""
SOAK = ("T1",)

WORDS = {
    "quick": "a first look, in under 3 minutes",
    "ci": "all that one virtual machine can express, in under 45 minutes",
    "acceptance": "the same, three times",
    "full": "also what takes gear of its own; NOT RUN where the lab has no means for it",
    "soak": "faults at random, one at a time, for --hours",
}
REPEATS = {"quick": 1, "ci": 1, "acceptance": 3, "full": 3, "soak": 1}
"""Of each scenario, where the command line does not say."""
