"""The imports of a Python file."""

import ast
from functools import cache
from pathlib import Path


@cache
def imports(path: Path) -> frozenset[str]:
    """Return the top-level names of all modules that a file imports, anywhere in it."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return frozenset(found)
