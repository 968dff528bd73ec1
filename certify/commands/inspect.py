"""Commands that look and change nothing: check, topology, list, plan."""

import argparse
import hashlib

from certify import health
from certify.commands.output import say, say_json
from certify.commands.virtual import in_lab
from certify.devices import resolve_found
from certify.lab import Lab
from certify.lab_names import load_lab_to_run
from certify.preflight import lab_record, preflight
from certify.rundir import make_plan
from certify.scenarios import PROFILES, scenarios_of
from certify.scenarios.profiles import REPEATS, WORDS
from certify.tree import topology_lines
from certify.verdict import ExitCode, show_ms
from reports.record import PlanRecord, ScenarioPlan, encode


def check(arguments: argparse.Namespace) -> int:
    """Say whether the lab is fit to be broken, one line per problem."""
    if arguments.lab is None:
        return in_lab(arguments, ["check", *_json(arguments)], writes=False)
    found = preflight(load_lab_to_run(arguments.lab))
    if arguments.json:
        say_json(
            {
                "healthy": not found.problems,
                "problems": found.problems,
                "lab": found.lab,
                "system_under_test": found.system_under_test,
                "host_timers": found.host_timers,
                "versions": found.versions,
            }
        )
    else:
        for problem in found.problems:
            say(problem)
        if not found.problems:
            paths, engines = len(found.lab.paths), len(found.lab.engines)
            say(f"{found.lab.name}: healthy: {paths} paths, {engines} engines, all as they should")
    return ExitCode.LAB if found.problems else ExitCode.CERTIFIED


def topology(arguments: argparse.Namespace) -> int:
    """Show the lab as a tree, each part with its health."""
    if arguments.lab is None:
        return in_lab(arguments, ["topology", *_json(arguments)], writes=False)
    lab = load_lab_to_run(arguments.lab)
    problems: list[str] = []
    record = lab_record(lab, resolve_found(lab, problems))
    problems = health.problems_of(lab)
    if arguments.json:
        say_json({"lab": record, "problems": problems})
    else:
        for line in topology_lines(lab, record, problems):
            say(line)
    return ExitCode.CERTIFIED


def list_scenarios(arguments: argparse.Namespace) -> int:
    """List the scenarios of a profile: limits, what a lab must have, who asks for it."""
    scenarios = scenarios_of(arguments.profile)
    if arguments.json:
        listed = [
            {
                "id": one.id,
                "title": one.title,
                "fault": one.kind,
                "expected": one.expected,
                "need": one.need,
                "reference": one.reference,
                "profiles": _profiles_of(one.id),
                "limit_failover_ms": one.limit_failover_ms,
                "limit_failback_ms": one.limit_failback_ms,
            }
            for one in scenarios
        ]
        say_json({"profiles": PROFILES, "repeats": REPEATS, "scenarios": listed})
        return ExitCode.CERTIFIED
    for name, words in WORDS.items():
        mark = "*" if name == arguments.profile else " "
        say(f"{mark} {name:<11} {len(PROFILES[name]):>2} scenarios × {REPEATS[name]}: {words}")
    for one in scenarios:
        limits = f"≤ {show_ms(one.limit_failover_ms)}, back ≤ {show_ms(one.limit_failback_ms)}"
        say("")
        say(f"{one.id:<4} {one.title}  ({limits})")
        say(f"     expected:  {one.expected}")
        say(f"     needs:     {one.need}")
        say(f"     reference: {one.reference}")
        say(f"     profiles:  {', '.join(_profiles_of(one.id))}")
    return ExitCode.CERTIFIED


def _profiles_of(scenario: str) -> list[str]:
    return [name for name, ids in PROFILES.items() if scenario in ids]


def plan(arguments: argparse.Namespace) -> int:
    """Show the protocol of a run, as plan.json will hold it, and its SHA-256."""
    lab: Lab = load_lab_to_run(arguments.lab)
    protocol = make_plan(
        lab,
        profile=arguments.profile,
        seed=arguments.seed,
        repeats=arguments.repeat or REPEATS[arguments.profile],
        hours=arguments.hours,
    )
    if arguments.json:
        say(encode(protocol).decode().rstrip())
        return ExitCode.CERTIFIED
    for line in _plan_lines(lab, protocol):
        say(line)
    return ExitCode.CERTIFIED


def _plan_lines(lab: Lab, protocol: PlanRecord) -> list[str]:
    lines = [f"Protocol of profile {protocol.profile} on {lab.lab.name}, seed {protocol.seed}"]
    for one in protocol.scenarios:
        lines += [
            "",
            f"{one.id}  {one.title}" + (f"  NOT RUN: {one.not_run}" if one.not_run else ""),
            f"    {one.description}",
            *_step_lines(one),
            f"    expected: {one.expected}",
            f"    limits: {show_ms(one.limit_failover_ms)} after the fault, "
            f"{show_ms(one.limit_failback_ms)} after mending; repeats: {one.repeats}",
        ]
    digest = hashlib.sha256(encode(protocol)).hexdigest()
    return [*lines, "", f"SHA-256 of the protocol: {digest}"]


def _step_lines(plan: ScenarioPlan) -> list[str]:
    lines = []
    for step in plan.steps:
        end = "at the end" if step.mend_at_s is None else f"at {step.mend_at_s:g} s"
        lines.append(f"    {step.at_s:g} s: {step.fault} on {step.subject}, mended {end}")
    if plan.outage is not None:
        lines.append(f"    an outage is meant: {plan.outage.why}")
    return lines


def _json(arguments: argparse.Namespace) -> list[str]:
    return ["--json"] if arguments.json else []
