"""Fuzzing of what hosts send: gob, net/rpc, yamux, and all of them together under a plugin.

    python -m tests.fuzz gob --seconds 600

A target turns any bytes into a run of one protocol and checks what must hold for all bytes: values and events, or an
error that the protocol documents, in bounded time and memory, the same however the bytes are cut. What a run finds is
kept as a file, which becomes a seed; `test_seeds` replays all seeds.
"""
