"""The defects, a module per family."""
