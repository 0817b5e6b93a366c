"""The shape of the code: small folders, files, functions and calls, and a docstring for everything
public."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.thorough import LEFT_OUT

PACKAGES = ("agents", "coflex", "matchmaker", "orchestrator", "protocol")
FILES_IN_A_FOLDER, LINES_IN_A_FILE, LINES_IN_A_FUNCTION, POSITIONAL_ARGUMENTS = 17, 400, 70, 3
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file, which several tests read."""
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def own_names(tree: ast.Module) -> set[str]:
    """Return the classes that a file defines, and the names that it imports from our packages.

    Other classes may take any number of positional arguments, such as rich's Text.
    """
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def commands(path: Path) -> set[str]:
    """Return the functions of commands, `app.command(name)(function)`; their length depends on the
    number of options."""
    return {
        node.args[0].id
        for node in ast.walk(parsed(path))
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
        tree = parsed(path)
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


NO_SUBJECT = ("How", "What", "When", "Where", "Whether", "Which", "Who")
"""Words with which the docstring of a function does not start: it starts with a verb, or for a
property with a noun."""


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the public classes, functions and methods of a module, with their names."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("_"):
                continue
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


def mistake_in(docstring: str | None, *, function: bool) -> str:
    """Return why a docstring breaks the style of the project; empty if it does not."""
    if not docstring:
        return "is missing"
    if not (docstring[0].isupper() or docstring.startswith(("`", "coflex"))):
        return "starts without a capital letter"
    if not docstring.split("\n\n")[0].rstrip().endswith("."):
        return "has a first paragraph without a full stop"
    if function and docstring.split()[0] in NO_SUBJECT:
        return f"starts with {docstring.split()[0]}: start with a verb"
    return ""


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_everything_public_has_a_docstring(path: Path) -> None:
    tree = parsed(path)
    found = {}
    for title, node in [("the module", tree), *public(tree.body)]:
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        assert isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if mistake := mistake_in(ast.get_docstring(node), function=function):
            found[title] = mistake
    assert found == {}


@pytest.mark.parametrize(
    ("docstring", "mistake"),
    [
        (None, "is missing"),
        ("return the sum.", "starts without a capital letter"),
        ("Return the sum", "has a first paragraph without a full stop"),
        ("Return the sum:\n\nof all values.", "has a first paragraph without a full stop"),
        ("What the sum is.", "starts with What: start with a verb"),
        ("Return the sum of `values`.\n\nRaises ValueError if there are none.", ""),
    ],
)
def test_mistakes_in_docstrings_are_noticed(docstring: str | None, mistake: str) -> None:
    assert mistake_in(docstring, function=True) == mistake


@pytest.mark.parametrize("file", LEFT_OUT)
def test_tests_that_are_left_out_exist(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, functions)}
    assert {name.partition("[")[0] for name in LEFT_OUT[file]} <= defined
