"""The evaluation of the source paper, made again: its runs, its figures, its claims one by one."""
