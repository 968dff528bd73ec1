"""One module per section of the report; each draws a `View` on a `Sheet`."""
