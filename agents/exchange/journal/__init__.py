"""The journal of a household: what it notes before it acts, and how that is read again."""
