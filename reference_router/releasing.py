"""Whether the router may let go of its legs for good, and what each is worth then. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from reference_router.keys import ControlResult, Key, Outcome, unpack
from reference_router.leg_keys import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the keys of one unit's legs say.

    `objections` say what stands against a release: what, where, what was expected and seen.
    `worth` has a word for each leg.
    """

    objections: tuple[str, ...]
    worth: tuple[str, ...]


def judge(places: Sequence[Place], surveys: Sequence[ControlResult]) -> Verdict:
    """Return what the keys on all legs of one unit say. `surveys` are of READ_KEYS, by place."""
    objections: list[str] = []
    found: list[list[Key]] = []
    for place, survey in zip(places, surveys, strict=True):
        ours, objection = _look(place, survey)
        found.append(ours)
        if objection:
            objections.append(objection)
    top = max((key.epoch for keys in found for key in keys), default=0)
    if top == 0 and any(found):
        objections.append(f"{places[0].unit}: expected a leg that is whole, seen copies under way")
    for place, keys in zip(places, found, strict=True):
        unclean = sorted({key.engine for key in keys if key.epoch == top and not key.clean})
        if top and unclean:
            objections.append(
                f"{place}: expected the key of a clean stop, seen engine {unclean[0]}'s of epoch "
                f"{top}: it serves, or it died and the legs may differ"
            )
    worth = tuple(_worth(keys, survey, top) for keys, survey in zip(found, surveys, strict=True))
    return Verdict(objections=tuple(objections), worth=worth)


def _look(place: Place, survey: ControlResult) -> tuple[list[Key], str]:
    if survey.outcome is not Outcome.GOOD:
        why = survey.why or survey.outcome
        return [], f"{place}: expected its reservation keys, seen: {why}"
    ours: list[Key] = []
    for key in survey.keys:
        known = unpack(key)
        if known is None or known.check != place.check:
            return ours, f"{place}: expected keys of this unit's engines only, seen {key:#018x}"
        ours.append(known)
    return ours, ""


def _worth(keys: Sequence[Key], survey: ControlResult, top: int) -> str:
    if survey.outcome is not Outcome.GOOD:
        return "not reached: its keys stay"
    if not keys:
        return "had no key: nothing is known of its data"
    epoch = max(key.epoch for key in keys)
    if epoch == 0:
        return "being copied to: its data is NOT WHOLE"
    if epoch < top:
        return f"STALE (epoch {epoch} of {top}): its data is old"
    return f"whole (epoch {epoch})"
