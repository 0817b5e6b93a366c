"""How households decide, and the processes they live in."""
