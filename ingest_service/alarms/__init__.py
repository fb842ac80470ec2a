"""What needs a person: the life of an alarm. Pure."""
