"""Results of a run: measures, files, and folders that appear whole or not at all."""
