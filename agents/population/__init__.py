"""Where plans come from: files, generators, meter readings. Nothing here decides."""
