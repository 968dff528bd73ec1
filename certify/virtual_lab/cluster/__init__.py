"""The topology "cluster": every box of the drawing is a kernel of its own, joined by fabrics."""
