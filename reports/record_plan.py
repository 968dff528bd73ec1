"""The protocol of a run, plan.json: what is to be done, fixed before the first fault."""

import msgspec

from reports.record_base import Record


class StepPlan(Record, frozen=True, kw_only=True):
    """One fault of a scenario, and when it comes and goes."""

    fault: str  # the injector's kind
    subject: str  # what is broken, by its name in the lab file
    at_s: float = 0.0  # after the start of the fault phase
    mend_at_s: float | None = None  # likewise; None: in the mend phase


class OutagePlan(Record, frozen=True, kw_only=True):
    """An outage that the application is meant to see, and what must hold all the same.

    It begins with the fault of step `from_step` and ends when I/O flows again. How late an I/O
    was in it is not judged; data is judged as ever: every acknowledged write must be there.
    """

    why: str  # a sentence for the report: why nothing can serve
    return_ms: float  # after the mending began, I/O must flow again by itself within this
    errors: bool = False  # an I/O of the application may end with an error
    answer_ms: float | None = None  # every path must answer a command within this; None: any time
    from_step: int | None = None  # 1-based; None: the last


class ScenarioPlan(Record, frozen=True, kw_only=True):
    """What a scenario is to do and what is expected of the system under test."""

    id: str  # "E1k", unique in the plan
    title: str
    fault: str  # the injector's kind, of the first step; "" for a baseline
    subject: str  # what is broken, by its name in the lab file
    description: str  # one paragraph for a reader of the report
    expected: str  # the behaviour that passes, in a sentence
    requirement: str
    reference: str
    limit_failover_ms: float
    limit_failback_ms: float
    steady_s: float
    fault_s: float
    recover_s: float
    repeats: int
    not_run: str = ""  # the reason, when the lab cannot express it
    need: str = ""  # what a lab must have for it
    steps: list[StepPlan] = msgspec.field(default_factory=list)  # of the first repeat
    budget_s: float | None = None  # no fault begins so long after the fault phase began
    varies: bool = False  # the seed makes another schedule for every repeat
    outage: OutagePlan | None = None  # that the application is meant to see
    exercises: list[str] = msgspec.field(default_factory=list)  # done beside the load, by name
    asks: list[str] = msgspec.field(default_factory=list)  # further questions to the evidence
    hosts: list[str] = msgspec.field(default_factory=list)  # with probes, beside the measuring one
    hosts_lost: list[str] = msgspec.field(default_factory=list)  # that the fault takes away


class PlanRecord(Record, frozen=True, kw_only=True):
    """plan.json: the protocol, fixed before the first fault."""

    schema: int
    profile: str
    seed: int
    scenarios: list[ScenarioPlan]
    workload: str = ""  # what `--workload` put beside every scenario
    application: str = ""  # what `--application` did
