"""Bundles: the archives that a server takes, and the rules by which it takes them."""
