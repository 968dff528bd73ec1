"""E10: the file system of engine 1's logs is full."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a command that fills a file system of an engine's machine."""
    return by_means(
        lab,
        "E10",
        lacking="Engines and suite of this lab share their file systems, and the evidence would "
        "be lost too; it takes engines on machines of their own.",
    )


SCENARIO = Scenario(
    id="E10",
    title="Disk of engine 1 full, and emptied",
    kind="command",
    description=(
        "The file system to which the first engine writes its logs and its state is filled to the "
        "last byte, and later emptied. A disk that is full is no reason to stop."
    ),
    expected="No effect on I/O; what could not be written is told once there is space again.",
    requirement="HA-019",
    reference="Controllers that stop for a full log or dump partition, in vendors' release notes",
    need="engines on machines of their own",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
