"""What an engine knows of the other one: the link, its promises, and where it stands. Pure."""

from reference_router.messages import Standing


class Peer:
    """The other engine, as far as it is the same for all units."""

    def __init__(self) -> None:
        self.engine_id = 0
        self.linked = False
        """Whether messages flow and both have said Hello."""
        self.dead = False
        """Whether the lost peer's process is known to have ended, and not only silent."""
        self.lease_until_ns = 0
        """Until when the peer has promised not to change leg states without this engine."""
        self.promise_until_ns = 0
        """Until when this engine has promised the peer the same."""
        self.heard_ns = 0

    def of_unit(self) -> "UnitPeer":
        """Return what a unit sees of it."""
        return UnitPeer(self)


class UnitPeer:
    """The other engine, as one unit sees it. `standing` is the last that it said."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.standing: Standing | None = None

    @property
    def engine_id(self) -> int:
        """The other engine's id, as it last said."""
        return self._peer.engine_id

    @property
    def linked(self) -> bool:
        """Whether messages flow."""
        return self._peer.linked

    @property
    def dead(self) -> bool:
        """Whether the lost peer is known to be dead."""
        return self._peer.dead

    @property
    def serving(self) -> bool:
        """Whether the peer says that it serves the unit."""
        return self.linked and self.standing is not None and self.standing.serving

    @property
    def lease_until_ns(self) -> int:
        """See `Peer`."""
        return self._peer.lease_until_ns

    @property
    def promise_until_ns(self) -> int:
        """See `Peer`."""
        return self._peer.promise_until_ns
