"""The shape of the code, held by tests: folders, files, functions and calls stay small."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("agents", "coflex", "matchmaker", "orchestrator", "protocol")
FILES_IN_A_FOLDER, LINES_IN_A_FILE, LINES_IN_A_FUNCTION, POSITIONAL_ARGUMENTS = 17, 400, 70, 3
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def own_names(tree: ast.Module) -> set[str]:
    """What a file defines or imports from our packages; of other classes some take any number of
    things, as rich's Text does."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def commands(path: Path) -> set[str]:
    """Commands of the command line, `app.command(name)(function)`: such a function is as long as
    the list of its options."""
    return {
        node.args[0].id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Call)
        and isinstance(node.func.func, ast.Attribute)
        and node.func.func.attr == "command"
        and isinstance(node.args[0], ast.Name)
    }


def test_folders_can_be_read_at_a_glance() -> None:
    sizes = Counter(path.parent for path in SOURCES if path.name != "__init__.py")
    assert {name(folder): n for folder, n in sizes.items() if n > FILES_IN_A_FOLDER} == {}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES_IN_A_FILE


def test_functions_stay_short() -> None:
    long = {
        f"{name(path)}:{function.name}": length
        for path in SOURCES
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LINES_IN_A_FUNCTION
        and function.name not in commands(path)
    }
    assert long == {}


def test_constructors_are_called_by_keyword() -> None:
    """A call of a class with many positional arguments cannot be read without its definition."""
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        ours = own_names(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or len(node.args) <= POSITIONAL_ARGUMENTS:
                continue
            # `Class(...)`, or `module.Class(...)` of an imported module.
            owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            called = node.func.attr if isinstance(node.func, ast.Attribute) else owner
            title = called.id if isinstance(called, ast.Name) else called
            is_class = isinstance(title, str) and title.lstrip("_")[:1].isupper()
            if is_class and isinstance(owner, ast.Name) and owner.id in ours:
                found.append(f"{name(path)}:{node.lineno}: {title}, {len(node.args)}")
    assert found == []
