"""The report for screens: one HTML page of a run that needs no network and no other file."""
