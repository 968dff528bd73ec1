"""A fabric of the virtual lab: an Ethernet switch in user space between guests.

`cable.py` says what a cable does to frames, `switch.py` where they go: both pure, with the time
passed in. `server.py` is the process around them, `wire.py` what it is told and tells.
"""
