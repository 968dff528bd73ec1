"""The optional compiled build: `ZEROSTALL_COMPILE=1 pip install -e .`, or `make compile`.

The modules of the data path, from the same typed source, by mypyc. Pure Python is the default and
does the same: most of a command's time is in system calls, not here. `front` and `back` stay
Python, for tests put stand-ins in their devices' place, and compiled code takes declared types at
their word.
"""

import os

from setuptools import setup

COMPILED = ("aio", "commands", "latency", "leases", "lending", "mirror", "ring", "traffic")

wanted = os.environ.get("ZEROSTALL_COMPILE") == "1"
modules = []
if wanted:
    try:
        from mypyc.build import mypycify
    except ImportError:
        pass  # asked what the build needs; it is built when that is there
    else:
        modules = mypycify([f"reference_router/{name}.py" for name in COMPILED], opt_level="2")

setup(ext_modules=modules, setup_requires=["mypy[mypyc]>=1.18"] if wanted else [])
