"""Every file, folder, function and class that docs/architecture.md and the glossary name exists."""

import ast
import re
from functools import cache

import pytest

from tests.support.paths import ROOT

PAGES = ("architecture.md", "glossary.md")
MENTION = re.compile(
    r"`((?:agents|coflex|deploy|docs|matchmaker|orchestrator|protocol|tests)/[\w./-]*)(?::(\w+))?`"
)
"""A path from the root of the repository, and perhaps a name that the file defines."""


def mentions(page: str) -> list[tuple[str, str]]:
    """Return (path, name) for each mention on a page; the name may be empty."""
    return MENTION.findall((ROOT / "docs" / page).read_text())


@cache
def defined_names(source: str) -> frozenset[str]:
    """Return the names of all functions, methods, classes and module-level variables."""
    tree = ast.parse(source)
    found = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def missing(page: str) -> list[str]:
    """Return the mentions of a page that name nothing."""
    wrong = []
    for path, name in mentions(page):
        place = ROOT / path
        exists = place.is_dir() if path.endswith("/") else place.is_file()
        if not exists or (name and name not in defined_names(place.read_text())):
            wrong.append(f"{path}:{name}" if name else path)
    return wrong


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_names_exists(page: str) -> None:
    assert missing(page) == []


def test_every_folder_with_code_is_in_the_tree() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    tree = page.split("\n## The tree\n")[1].split("\n## ")[0]
    shown = set(re.findall(r"^\| `([\w/]+)/` \|", tree, re.M))
    packages = ("agents", "coflex", "matchmaker", "orchestrator", "protocol")
    found = {
        file.parent.relative_to(ROOT).as_posix()
        for package in packages
        for file in (ROOT / package).rglob("*.py")
    }
    assert shown == found


def test_classes_that_the_glossary_names_exist() -> None:
    """Also where a word stands without a path: a row names the class and the folder."""
    page = (ROOT / "docs" / "glossary.md").read_text()
    rows = re.findall(r"^\|(.*?)\| (`[\w/`, ]+/`) \|$", page, re.M)
    assert len(rows) >= 80
    wrong = []
    for row, folders in rows:
        names = set(re.findall(r"`([A-Z]\w+)`", row))
        sources = [
            file.read_text()
            for folder in re.findall(r"`([\w/]+)`", folders)
            for file in (ROOT / folder).rglob("*.py")
        ]
        defined = set().union(*(defined_names(source) for source in sources))
        wrong += sorted(names - defined)
    assert wrong == []


def test_the_pages_name_enough_to_be_worth_checking() -> None:
    found = [mention for page in PAGES for mention in mentions(page)]
    assert len(found) >= 60
    assert sum(1 for _, name in found if name) >= 30


def test_a_name_that_is_not_defined_is_noticed() -> None:
    source = "LIMIT = 1\n\nclass Household:\n    def handle(self) -> None: ...\n"
    assert defined_names(source) == {"LIMIT", "Household", "handle"}
