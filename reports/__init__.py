"""The run folder contract (`record`) and the report made from a run folder (`build`, `verify`)."""
