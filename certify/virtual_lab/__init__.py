"""The virtual lab: a stock Debian kernel as a guest, with two arrays, a router and a host in it."""
