"""Results in words, pictures and pages: the terminal summary, the report page, explanations."""
