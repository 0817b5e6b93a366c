"""The orchestrator's decisions in a run, without input and output: who sits where, what came out."""
