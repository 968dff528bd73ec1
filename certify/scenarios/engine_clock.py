"""E9: the clock of engine 1's machine steps by an hour."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a command that sets the clock of an engine's machine."""
    return by_means(
        lab,
        "E9",
        lacking="Both engines of this lab have the clock of the host that measures; it takes "
        "engines on machines of their own.",
    )


SCENARIO = Scenario(
    id="E9",
    title="Clock of engine 1 wrong by an hour, and set right",
    kind="command",
    description=(
        "The clock of the first engine's machine steps an hour ahead, as when a time server lies, "
        "and later back. Leases, time-outs and locks that go by the time of day end too early, or "
        "never."
    ),
    expected="No effect: nothing that matters goes by the time of day.",
    requirement="HA-018",
    reference="Jepsen: clock nemesis; leases by wall clock that a step ends",
    need="engines on machines of their own",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
