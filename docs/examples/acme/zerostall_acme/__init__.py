"""A fault, a scenario and a virtual target outside Zerostall, as docs/extending.md explains."""
