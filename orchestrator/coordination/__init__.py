"""The orchestrator's decisions in a run, without input and output: places and outcomes."""
