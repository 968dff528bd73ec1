"""What the lab file has commands for is broken, looked at and mended by them."""

import pytest

from fault_injectors import CommandFault, FaultError


class Thing:
    """A link that commands cut and mend, and that may take a while to be whole."""

    def __init__(self, shell, **probe):
        self.is_cut = self.is_ready = False
        shell.commands = {
            "cut": lambda: self._set(True),
            "mend": lambda: self._set(False),
            "is-cut": lambda: (0 if self.is_cut else 1, ""),
            "is-ready": lambda: (0 if self.is_ready else 1, ""),
            **probe,
        }

    def _set(self, is_cut):
        self.is_cut, self.is_ready = is_cut, not is_cut
        return 0, ""


def link(**more):
    return CommandFault(
        subject="link", apply_argv=("cut",), probe_argv=("is-cut",), heal_argv=("mend",), **more
    )


def test_commands_break_and_mend(shell):
    thing = Thing(shell)
    fault = link().prepare(shell)
    assert not thing.is_cut

    fault.apply(shell)
    assert fault.probe(shell).effective
    assert not fault.healed(shell).effective

    fault.heal(shell)
    assert fault.healed(shell).effective


def test_what_is_not_broken_is_not_mended(shell):
    Thing(shell)
    fault = link().prepare(shell)

    fault.heal(shell)

    assert "mend" not in shell.calls


def test_whole_is_what_the_command_for_it_says(shell):
    thing = Thing(shell)
    fault = link(healed_argv=("is-ready",)).prepare(shell)
    assert not fault.healed(shell).effective

    thing.is_ready = True
    assert fault.healed(shell).effective


def test_what_is_broken_already_is_refused(shell):
    Thing(shell).is_cut = True

    with pytest.raises(FaultError, match="link: broken before the fault: is-cut: says yes"):
        link().prepare(shell)


def test_a_command_that_says_neither_yes_nor_no_is_an_error(shell):
    Thing(shell, **{"is-cut": lambda: (2, "no such link")})

    with pytest.raises(FaultError, match="expected exit status 0 for yes or 1 for no: is-cut"):
        link().prepare(shell)


def test_what_cannot_be_looked_at_is_mended_all_the_same(shell):
    thing = Thing(shell, **{"is-cut": lambda: (2, "no such link")})
    thing.is_cut = True

    link().heal(shell)

    assert not thing.is_cut


def test_a_fault_without_a_command_to_look_is_refused(shell):
    with pytest.raises(FaultError, match="expected commands to break, to look and to mend"):
        CommandFault(subject="x", apply_argv=("a",), probe_argv=(), heal_argv=("b",)).prepare(shell)
