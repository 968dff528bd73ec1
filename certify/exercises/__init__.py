"""Exercises: what scenarios do beside the load (certify.exercise says what an exercise is)."""
