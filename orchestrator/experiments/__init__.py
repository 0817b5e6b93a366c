"""Many runs instead of one: grids of options, replications, statistics of what came out."""
