"""The certification suite: breaks highly available storage and tells what its hosts notice."""

__version__ = "0.1.0"
"""The same as in pyproject.toml; a checkout that is not installed has no other place for it."""
