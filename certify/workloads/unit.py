"""The logical unit that is the application's own: nothing else of the suite writes to it."""

from certify.lab import Lab, LabError

APPLICATION = "application"


def lacks_unit(lab: Lab) -> str:
    """Return what *lab* lacks for a program beside its scenarios, "" for nothing."""
    try:
        application_unit(lab)
    except LabError as error:
        return str(error)
    return ""


def application_unit(lab: Lab) -> str:
    """Return the name of the application's unit; raise LabError if the lab file has none here."""
    for unit in lab.logical_unit:
        if unit.purpose != APPLICATION:
            continue
        if any(host.name == unit.host and host.reach == "local" for host in lab.host):
            return unit.name
        raise LabError(
            f"logical unit {unit.name} is on host {unit.host}; an application runs on the host "
            'that measures (reach = "local")'
        )
    raise LabError(f'the lab file names no logical_unit with purpose = "{APPLICATION}"')
