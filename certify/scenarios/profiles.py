"""Which scenarios stand for what in the profiles, and how often a profile runs each."""

QUICK = ("B0", "P1", "E1k", "E2h", "A1", "A3")
GEAR = frozenset({"P2", "P5", "E3", "E4", "E9", "E10", "L2", "L3", "L4", "D4", "D5"})
"""Scenarios that no single virtual machine can express; a lab file names its means for them."""
ONE_MACHINE_CANNOT = GEAR | {"A7b"}
"""No Linux target can be made to answer BUSY; the others lack wires, machines or sites."""
CLUSTER = (
    *("B0", "P1", "P2", "P3", "P4", "P5", "P6", "E1k", "E2h", "E3", "E4", "E7", "E9", "E10"),
    *(
        "L1",
        "L2",
        "L3",
        "L4",
        "A1",
        "R1",
        "R2",
        "R3",
        "R4",
        "D1",
        "D2",
        "D3e",
        "D3a",
        "D4",
        "D5",
        "S5",
    ),
)
"""What shows more where every box is a machine of its own, with cables and power to be cut."""
SOAK = ("T1",)

WORDS = {
    "quick": "a first look, in under 3 minutes",
    "ci": "all that one virtual machine can express, in under 45 minutes",
    "acceptance": "the same, three times",
    "cluster": "what takes boxes, cables and power of their own, in under 40 minutes",
    "full": "also what takes gear of its own; NOT RUN where the lab has no means for it",
    "soak": "faults at random, one at a time, for --hours",
}
REPEATS = {"quick": 1, "ci": 1, "acceptance": 3, "cluster": 1, "full": 3, "soak": 1}
"""Of each scenario, where the command line does not say."""
