"""Options that several commands share: for runs, connections, monitoring and meter files."""
