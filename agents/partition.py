"""How the tree is divided among hosts. Pure: positions in, positions out."""

from agents.planning.tree import children_of, level_of

SLACK = 0.05
"""By how much of a fair share a cut may move, to where fewer subtrees are cut through."""


def partition(n: int, arity: int, hosts: int) -> list[list[int]]:
    """The positions 0..n-1 of a k-ary heap, divided among `hosts` hosts (one each if n is less).

    Children stand before their parents in the order that is cut into equal stretches, so that a
    host has whole subtrees, and the way up from them only where its stretch holds it. Each host's
    positions rise.
    """
    hosts = min(hosts, n)
    order = _children_first(n, arity)
    slack = int(SLACK * n / hosts)
    cuts = [0]
    for host in range(1, hosts):
        fair = host * n // hosts
        window = range(fair - slack, fair + slack + 1)
        # After the largest subtree that ends about there: its root has the lowest level.
        cuts.append(min(window, key=lambda cut: (level_of(order[cut - 1], arity), abs(cut - fair))))
    return [sorted(order[start:end]) for start, end in zip(cuts, [*cuts[1:], n], strict=True)]


def _children_first(n: int, arity: int) -> list[int]:
    """Every position after all those below it, and subtrees in one piece."""
    order, waiting = [], [0]
    while waiting:
        position = waiting.pop()
        order.append(position)
        waiting.extend(children_of(position, arity, n))
    return order[::-1]
