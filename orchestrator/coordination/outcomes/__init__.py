"""What outcome.py adds to the results of a run, part by part: homes, feeders, loops, traced
exchanges, and the audit."""
