"""Stage 1, I-EPOS: each household selects one of its plans, in iterations up and down a tree.


stage.py                one household: its messages to parent and children, and when
host_planning.py        all households of a host together, grouped into subtrees
subtree.py              one such subtree, in arrays; the same results as household by household
layer.py                the households of a subtree that decide at once
replanning.py           a household's plans and state after an exchange
plan_selection.py       the plan a household selects, and the children's changes it approves
batch_selection.py      the same arithmetic for many households at once
costs.py                inefficiency of a global plan
tie_breaking.py         combined cost, and the choice among equal costs
hard_constraints.py     bounds on the global plan or on its costs
tree.py                 parents and children in the tree
tree_reorganisation.py  when the tree changes, and what is remembered across the change
java_random.py          the random generator

All of it is pure and knows neither households' phases nor stage 2.
"""
