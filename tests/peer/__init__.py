"""Tests against peers that are not ours: a host built on go-plugin."""
