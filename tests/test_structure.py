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


CLASSES = frozenset(
    node.name
    for path in SOURCES
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
)
"""The classes of our packages; of others, some take any number of things, as rich's Text does."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def commands(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A command of the command line: its length is the number of its options."""
    return any("command" in ast.unparse(decorator) for decorator in function.decorator_list)


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
        and not commands(function)
    }
    assert long == {}


def test_constructors_are_called_by_keyword() -> None:
    """A call of a class with many positional arguments cannot be read without its definition."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            title = called.id if isinstance(called, ast.Name) else called
            ours = isinstance(title, str) and title in CLASSES
            if ours and len(node.args) > POSITIONAL_ARGUMENTS:
                found.append(f"{name(path)}:{node.lineno}: {title}, {len(node.args)}")
    assert found == []
