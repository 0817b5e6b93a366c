"""The table of commands, which names them without importing them."""

from importlib import import_module

import pytest
import typer

from orchestrator.cli.application import MODULES
from orchestrator.cli.narrow_help import NarrowHelpApp
from tests.support.paths import ROOT

PACKAGE = "orchestrator.cli"


def commands_of(module: str) -> set[str]:
    """Return the names of the commands that a module registers."""
    app = NarrowHelpApp()
    import_module(f"{PACKAGE}.{module}").register(app)
    app.callback()(lambda: None)  # a group, even of one command
    return set(typer.main.get_group(app).commands)


@pytest.mark.parametrize(
    "module",
    sorted(
        file.stem
        for file in (ROOT / "orchestrator" / "cli").glob("*.py")
        if file.stem != "version" and "def register(app" in file.read_text()
    ),
)
def test_the_table_names_all_commands_of_a_module(module: str) -> None:
    assert commands_of(module) == {name for name, own in MODULES.items() if own == module}
