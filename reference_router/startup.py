"""What the keys on the legs say to an engine that starts: may it serve without a peer? Pure.

The last to serve is the one who knows. An engine was a member to the end if its own key is still on
a leg of the highest epoch: whoever goes on without it removes its key there first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reference_router.keys import Key, unpack
from reference_router.messages import LegState


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is known before a start. `why` says why it may not, in words for an operator.

    `unclean`: writes may have reached one leg only. `blank` are legs without any key of the router:
    nothing says that their data may be overwritten. `operator`: only an operator's word can help.
    """

    may_start: bool
    why: str = ""
    epoch: int = 0
    states: tuple[LegState, ...] = ()
    unclean: bool = False
    blank: tuple[int, ...] = ()
    operator: bool = False


def assess(
    surveys: Sequence[tuple[int, ...] | None],
    *,
    names: Sequence[str],
    engine_id: int,
    check: int,
    cold_start: bool,
    force: bool,
    persisted_epoch: int,
) -> Assessment:
    """Return whether an engine may start alone, and with which legs in sync.

    `surveys` has the keys by leg, None where they could not be read. `cold_start` is the operator's
    word that legs without a key are equal; `force`, that what can be seen is the newest there is.
    `persisted_epoch` is how new the hosts' persistent reservations are that this engine keeps.
    """
    hidden = [names[leg] for leg, keys in enumerate(surveys) if keys is None]
    if hidden and not (force and len(hidden) < len(surveys)):
        return Assessment(may_start=False, why=f"cannot read the keys of {', '.join(hidden)}")
    found: list[list[Key]] = []
    for leg, keys in enumerate(surveys):
        ours = [known for key in keys or () if (known := _ours(key, check))]
        if len(ours) != len(keys or ()):
            strange = next(key for key in keys or () if _ours(key, check) is None)
            why = f"{names[leg]} has a key that is not of this unit: {strange:#018x}"
            return Assessment(may_start=False, why=why, operator=True)
        found.append(ours)
    if not hidden and not any(key.epoch for keys in found for key in keys):
        # No key at all, or only of claims that came to nothing: nobody has ever served.
        return _virgin(surveys, allowed=cold_start or force)
    return _known(found, surveys, engine_id=engine_id, force=force, persisted_epoch=persisted_epoch)


def _ours(key: int, check: int) -> Key | None:
    known = unpack(key)
    return known if known is not None and known.check == check else None


def _virgin(surveys: Sequence[tuple[int, ...] | None], *, allowed: bool) -> Assessment:
    if not allowed:
        why = "no leg has a key, and nobody has said that the legs are equal: see cold_start"
        return Assessment(may_start=False, why=why, operator=True)
    states = tuple(LegState.STALE if keys is None else LegState.IN_SYNC for keys in surveys)
    return Assessment(may_start=True, epoch=0, states=states)


def _known(
    found: Sequence[list[Key]],
    surveys: Sequence[tuple[int, ...] | None],
    *,
    engine_id: int,
    force: bool,
    persisted_epoch: int,
) -> Assessment:
    tops = [max((key.epoch for key in keys), default=0) for keys in found]
    epoch = max(tops)
    seen = [leg for leg, keys in enumerate(surveys) if keys is not None]
    newest = [leg for leg in seen if tops[leg] == epoch]
    keys = [key for leg in newest for key in found[leg]]
    member = any(key.engine == engine_id for key in keys)
    others = sorted({key.engine for key in keys if key.engine != engine_id and not key.clean})
    why = ""
    if not epoch:
        why = "the legs in reach were being copied to: none of them is known to be whole"
    elif others and not member:
        why = f"engine {others[0]} went on without this one: start it first"
    elif any(key.holds for key in keys) and persisted_epoch != epoch and not member:
        why = "hosts' persistent reservations are with the other engine: start it first"
    if why and not force:
        return Assessment(may_start=False, why=why, epoch=epoch, operator=True)
    return Assessment(
        may_start=True,
        epoch=epoch,
        states=tuple(
            LegState.IN_SYNC if leg in newest else LegState.STALE for leg in range(len(found))
        ),
        unclean=any(not key.clean for key in keys),
        blank=tuple(leg for leg in seen if not found[leg] and leg not in newest),
    )
