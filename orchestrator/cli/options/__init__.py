"""Options that several commands share: of a run, a connection, monitoring, and meter files."""
