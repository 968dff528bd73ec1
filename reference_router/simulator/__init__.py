"""A deterministic world around the router's core: `python -m reference_router simulate --seed N`.

Two engines, two arrays with reservations, hosts that retry on another path, a network and a
schedule of faults, in virtual time and one thread. Everything comes from one seed: the same seed
gives the same run, to the byte. Modules, from the bottom up:

- `plan`, `draw`: the schedule of operations and faults, explicit, so that it can be shrunk
- `array`, `network`: what the engines stand on
- `shell`: one engine; `host`: who sends commands; `world`: time, and what happens next
- `registers`, `invariants`: the judge
- `shrink`, `story`, `campaign`, `command`: from a failing seed to a story that a human can read
- `bugs`: faults planted in the core, to show that the judge finds them

One allowance is made, for no system without a log can do better. A write that no host has an
answer for may be on one leg only: its engine was lost, or the other leg has failed it. If a host
has read it there, and that leg is lost too before another copy is made, the value is unread again.
See `Judge._excuse` in `invariants`.
"""
