"""Stage 1, I-EPOS: how the households of a tree select one plan each."""
