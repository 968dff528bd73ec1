"""The certification suite: breaks highly available storage and tells what its hosts notice."""
