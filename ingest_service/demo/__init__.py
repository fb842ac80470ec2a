"""A small city on one machine: simulated furnaces, agents, broker and service as real processes.

Knows the other programs only by their command lines and the service only by its HTTP API.
"""
