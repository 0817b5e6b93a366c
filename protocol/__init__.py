"""What is said between the parts of coflex, and how it travels. Imports none of the others."""
