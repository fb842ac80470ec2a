"""A Modbus device of our own that misbehaves on purpose, as its own process, over every transport.

Every value says which unit, table and address it belongs to and when the device was asked for it, so that a wrong value
is known for certain. What a device does wrong is drawn from a seed.
"""
