"""The whole of what the sections draw from: the run and what the model made of it."""

from dataclasses import dataclass

from reports.chronology import EventIndex, index_events
from reports.folder import Run
from reports.model import KeyFigures, Scenario, key_figures, scenarios_of
from reports.paper import Paper, paper_named
from reports.record import LabRecord, Verdict
from reports.words import plural

_KERNELS = {
    "kvm": "a QEMU/KVM guest",
    "uml": "a User Mode Linux guest",
    "tcg": "a QEMU guest with an emulated CPU",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One run, ready to be told."""

    run: Run
    scenarios: list[Scenario]
    figures: KeyFigures
    events: EventIndex

    @property
    def faults(self) -> list[Scenario]:
        """The scenarios that break something."""
        return [scenario for scenario in self.scenarios if scenario.is_fault]

    @property
    def lab(self) -> LabRecord:
        """The lab of the run."""
        return self.run.run.lab

    @property
    def draft(self) -> bool:
        """Whether the report is not issued."""
        return self.run.run.acceptance.state == "draft"

    @property
    def paper(self) -> Paper:
        """What the report is printed on."""
        return paper_named(self.run.run.acceptance.paper)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the run; never PASS if not certified, not complete, or without a fault."""
        judgement, complete = self.run.judgement, self.run.run.complete
        verdict = judgement.verdict
        if verdict is Verdict.PASS and not (judgement.certified and complete and self.faults):
            return Verdict.INCONCLUSIVE
        return verdict

    @property
    def verdict_words(self) -> str:
        """The verdict as a reader says it."""
        match self.verdict:
            case Verdict.PASS:
                return f"Certified: {self.run.judgement.grade}" + (" (draft)" if self.draft else "")
            case Verdict.FAIL:
                return "Not certified"
            case Verdict.INCONCLUSIVE:
                return "Inconclusive, not certified"
            case Verdict.NOT_RUN:
                return "Not run, not certified"


def view_of(run: Run) -> View:
    """Prepare *run* for the sections."""
    scenarios = scenarios_of(run)
    return View(
        run=run,
        scenarios=scenarios,
        figures=key_figures(scenarios),
        events=index_events(run.events),
    )


def lab_notice(view: View) -> tuple[str, str] | None:
    """Return headline and text of the notice that a virtual lab needs; None on real equipment."""
    run = view.run.run
    kernel = _KERNELS.get(view.lab.kernel, f"a {view.lab.kernel or 'virtual'} guest")
    if run.times_indicative:
        return (
            "Virtual lab with an emulated CPU: times are indicative",
            f"All hosts, engines and arrays ran in {kernel}. What happened and what became of the "
            "data holds; how long it took does not.",
        )
    if view.lab.kind != "virtual":
        return None
    if view.lab.topology == "cluster":
        return (
            "Virtual lab",
            f"Each host, engine and array ran in {kernel} of its own, all on one machine; no "
            "storage hardware took part.",
        )
    return (
        "Virtual lab",
        f"All hosts, engines and arrays ran in {kernel} on one machine; no storage hardware took "
        "part.",
    )


def shape_of_lab(view: View) -> str:
    """Return the size of the lab in words: 2 engines, 2 arrays, 4 paths."""
    lab = view.lab
    return ", ".join(
        [
            plural(len(lab.hosts), "host"),
            plural(len(lab.engines), "engine"),
            plural(len(lab.arrays), "array"),
            plural(len(lab.paths), "path"),
        ]
    )
