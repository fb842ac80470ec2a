"""What `edge-agent` can do, one module a command: `add_arguments(subparsers)` and `run(args) -> exit code`."""
