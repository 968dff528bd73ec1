"""What the tests of the router's faults run inside the guest: `python -m tests.lab.in_guest CASE`.

Each case does its faults by the kernel's own means (signals, sysfs, device-mapper), puts
everything back, and prints what it saw as one line of JSON for the test to judge.
"""
