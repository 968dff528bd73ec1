"""What the commands of `certify` do, by family. Each takes parsed arguments, returns a status."""
