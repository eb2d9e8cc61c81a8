"""The SDK measured against a bare grpc.aio server that does the same work. Run with `python -m bench`.

Every number is a ratio: the two plugins are processes that take turns under one client, in many short rounds, and the
ratio of a result is the median of its rounds' ratios. Absolute numbers say something about the machine and what else
it does; only ratios compare runs.
"""
