"""Saboteurs: systems with one known defect each, which the suite must fail for the right reason.

A saboteur stands between the hosts and the reference router: it owns TCMU devices of its own and
passes every command on by SG_IO, as the router's disk, but for its one defect. It shares no code
with the router, and none with the judge; without a defect it must pass whatever the router passes.
"""
