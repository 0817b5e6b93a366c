"""What operators see of a running part: log lines, metrics, status and presence on the bus."""
