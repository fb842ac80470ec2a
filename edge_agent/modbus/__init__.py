"""Modbus: how values lie in registers, which reads to make, and the only client.

Owns encodings, read planning and connections. Knows nothing of sites, tags or what a value means. Reads only.
"""
