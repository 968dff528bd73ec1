"""How an engine comes to serve a logical unit: by invitation, or by the keys. Pure."""

from enum import StrEnum
from typing import TYPE_CHECKING

from reference_router.barrier import in_sync
from reference_router.keyring import End, Errand, Fate
from reference_router.messages import Enrolled, LegState, Standing, UnitState
from reference_router.service import ServiceState
from reference_router.startup import Assessment, assess
from reference_router.unit_setup import UnitSetup

if TYPE_CHECKING:
    from reference_router.unit import Unit

_SURVEY_NS = 250_000_000
_UNREACHED_NS = 1_000_000_000  # so long no leg in reach is nothing to complain of
_PATIENCE = 4  # of leg deadlines, for a script of several commands
_UNKNOWN = Assessment(may_start=False, why="the keys on the legs have not been read yet")


class _Step(StrEnum):
    LOOKING = "looking"
    CLAIMING = "claiming"
    ENROLLING = "enrolling"
    ENROLLED = "enrolled"


class Starting:
    """An engine that does not serve yet."""

    def __init__(self, unit: "Unit", setup: UnitSetup, *, now_ns: int) -> None:
        self.assessment = _UNKNOWN
        self._unit = unit
        self._cold_start, self._force = setup.cold_start, setup.force
        self._fresh = ServiceState(preferred=setup.preferred or None)
        self._began_ns = now_ns
        self._step = _Step.LOOKING
        self._errand: Errand | None = None
        self._survey: Errand | None = None
        self._next_survey_ns = 0
        self._deferred_since_ns = 0
        self._invitation: UnitState | None = None
        self._told: Standing | None = None
        self._seen: dict[int, tuple[int, ...]] = {}

    @property
    def enrolled(self) -> bool:
        """Tell whether this engine accepts to be let in."""
        return self._step is _Step.ENROLLED

    def begin(self, now_ns: int) -> None:
        """Start again from nothing: this engine has just stopped to serve."""
        self._began_ns = now_ns
        self._look()
        self.assessment = _UNKNOWN
        self._force = False

    def invited(self, state: UnitState) -> None:
        """Take an invitation of the engine that serves. One that is taken already is not new."""
        before = self._invitation
        if before is not None and before.epoch == state.epoch:
            if self._step is _Step.ENROLLED:
                self._unit.send(Enrolled(self._unit.name, -1, state.epoch))
        elif self._step is not _Step.CLAIMING:
            self._unit.barrier.give_up()
            self._look()
            self._invitation = state

    def link_up(self) -> None:
        """Tell the peer where we stand, as it does not know."""
        self._told = None

    def link_down(self) -> None:
        """Forget an invitation: who sent it is gone."""
        if self._step is not _Step.CLAIMING:
            self._look()

    def drive(self, now_ns: int) -> None:
        """Go on as far as possible now."""
        self._tell()
        if self._step is _Step.ENROLLED:
            return
        if self._step is _Step.ENROLLING:
            self._drive_enrolment(now_ns)
        elif self._step is _Step.CLAIMING:
            self._drive_claim(now_ns)
        elif self._invitation is not None:
            self._enrol(self._invitation, now_ns)
        elif not self._unit.peer.serving:
            self._look_around(now_ns)

    def _is_over(self, errand: Errand, now_ns: int) -> bool:
        """Tell whether an errand has ended. A leg that does not answer has failed."""
        if now_ns - errand.started_ns > _PATIENCE * self._unit.timing.leg_deadline_ns:
            for leg in (*errand.running, *errand.waiting):
                errand.ends[leg] = End(fate=Fate.FAILED, why="no answer to a reservation command")
            self._unit.keyring.drop(errand)
            return True
        return errand.over

    def _look(self) -> None:
        self._unit.keyring.drop(self._errand)
        self._step, self._errand, self._invitation = _Step.LOOKING, None, None

    def _tell(self) -> None:
        unit = self._unit
        if not unit.peer.linked:
            return
        standing = Standing(
            unit=unit.name,
            serving=False,
            epoch=self.assessment.epoch,
            may_start=self.assessment.may_start,
            claiming=self._step is _Step.CLAIMING,
        )
        if standing != self._told:
            self._told = standing
            unit.send(standing)

    # Invited

    def _enrol(self, state: UnitState, now_ns: int) -> None:
        """Register, once nothing of an earlier membership is under way any more."""
        unit = self._unit
        if any(unit.mirror.outstanding):
            return
        legs = [leg for leg, each in enumerate(state.states) if each is not LegState.STALE]
        self._step = _Step.ENROLLING
        self._errand = unit.keyring.enrol(legs, unit.key(0), now_ns, others=state.members)

    def _drive_enrolment(self, now_ns: int) -> None:
        errand, state, unit = self._errand, self._invitation, self._unit
        if errand is None or state is None or not self._is_over(errand, now_ns):
            return
        failed = errand.with_fate(Fate.FAILED)
        if failed:
            words = ", ".join(f"{unit.mirror.legs[leg]}: {errand.ends[leg].why}" for leg in failed)
            unit.note(f"cannot enrol: {words}")
            self._look()
            self._next_survey_ns = now_ns + _SURVEY_NS
            self._told = None
            return
        self._step, self._errand = _Step.ENROLLED, None
        unit.send(Enrolled(unit.name, -1, state.epoch))

    # By the keys

    def _look_around(self, now_ns: int) -> None:
        if self._survey is None and now_ns >= self._next_survey_ns:
            self._next_survey_ns = now_ns + _SURVEY_NS
            reached = [leg for leg, each in enumerate(self._unit.admission.mine) if each.available]
            if reached or now_ns - self._began_ns > _UNREACHED_NS:
                self._survey = self._unit.keyring.survey(reached, now_ns)
        elif self._survey is not None and self._is_over(self._survey, now_ns):
            self._assess(self._survey)
            self._survey = None
        if self.assessment.may_start and self._my_turn(now_ns):
            self._claim(self.assessment, now_ns)

    def _assess(self, survey: Errand) -> None:
        unit = self._unit
        done = survey.with_fate(Fate.DONE)
        assessment = assess(
            [survey.ends[leg].keys if leg in done else None for leg in range(unit.leg_count)],
            names=unit.mirror.legs,
            engine_id=unit.engine_id,
            check=unit.check,
            cold_start=self._cold_start,
            force=self._force,
            persisted_epochs=self._unit.kept,
        )
        if assessment.why and assessment.why != self.assessment.why:
            unit.note(f"not started: {assessment.why}")
        self.assessment = assessment
        self._seen = {leg: survey.ends[leg].keys for leg in done}

    def _my_turn(self, now_ns: int) -> bool:
        """Wait for a peer for a while; of two that could start, the one of lower id does."""
        unit = self._unit
        if not unit.peer.linked:
            return now_ns - self._began_ns >= unit.timing.peer_wait_ns
        standing = unit.peer.standing
        if standing is None or standing.serving or standing.claiming:
            self._deferred_since_ns = 0
            return False
        if unit.engine_id < unit.peer.engine_id:
            return True
        # The other may not have read the keys yet: it is given the time to.
        if standing.may_start or not self._deferred_since_ns:
            self._deferred_since_ns = now_ns
            return False
        return now_ns - self._deferred_since_ns >= unit.timing.peer_wait_ns

    def _claim(self, assessment: Assessment, now_ns: int) -> None:
        legs = [leg for leg, each in enumerate(assessment.states) if each is LegState.IN_SYNC]
        self._step = _Step.CLAIMING
        self._errand = self._unit.keyring.claim({leg: self._seen[leg] for leg in legs}, now_ns)

    def _drive_claim(self, now_ns: int) -> None:
        errand, unit = self._errand, self._unit
        if errand is None or not self._is_over(errand, now_ns):
            return
        troubles = {leg: end for leg, end in errand.ends.items() if end.fate is not Fate.DONE}
        if troubles:
            legs = unit.mirror.legs
            words = ", ".join(f"{legs[leg]}: {end.why}" for leg, end in troubles.items())
            unit.note(f"not started: {words}")
            self._look()
            self.assessment = _UNKNOWN
            # Not in step with another engine that lost to this one.
            self._next_survey_ns = now_ns + unit.engine_id * _SURVEY_NS
            return
        self._look()
        found = self.assessment
        services = self._unit.kept.get(found.epoch, self._fresh)
        state = UnitState(
            epoch=found.epoch + 1,
            states=found.states,
            members=(unit.engine_id,),
            detached=found.blank,
            services=services,
        )
        how = "after an unclean end" if found.unclean else "after a clean end"
        unit.start_alone(state, f"start {how if found.epoch else 'by the word of the operator'}")
        if found.unclean and len(in_sync(state)) > 1:
            unit.mirror.repairs.fill()
