"""SCSI conformance through every path: pytest tests, one family per file, each assertion a record.

Run by `certify run`; by hand: `pytest --lab lab.toml --destroy` on this folder. The expectations
are the standards', not one product's; what a product may leave out is NOT RUN with the reason.
"""
