"""A cremation furnace that is not there: the same one for demonstrations, tests and commissioning.

Owns the furnace model, its planted faults, the Modbus server before it, and a made-up past. The model is a pure
function of seed, furnace and time, so that any two processes agree on what a furnace showed at any second.
"""
