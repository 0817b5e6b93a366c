"""Stage 2 of a household: its offers, its proposals, its answers, its journal."""
