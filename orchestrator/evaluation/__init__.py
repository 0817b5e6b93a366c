"""Growth of messages with the size of a run."""
