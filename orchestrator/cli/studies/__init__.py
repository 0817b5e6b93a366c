"""Commands that run a whole study: many runs, tables, figures."""
