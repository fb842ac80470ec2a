"""What people see of a running device in a terminal: tables that also read well over ssh and in a file (pure)."""
