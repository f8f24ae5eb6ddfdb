"""Files, signals, memory, the environment: what differs between machines."""
