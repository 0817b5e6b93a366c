"""What is said of homes: what one can do, and what became of it in a run."""
