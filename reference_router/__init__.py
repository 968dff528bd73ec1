"""A SCSI-3 data router: two engines present two arrays as one mirrored logical unit.

The protocol is a pure core (`core`, `ring`, `device_server` and their neighbours: no clock, socket,
file or thread) inside an I/O shell (`engine`, `supervisor`). `docs/router.md` is the guide.
"""
