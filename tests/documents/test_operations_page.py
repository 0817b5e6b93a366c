"""docs/operations.md lists every log message and every metric, with the texts of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from agents.phases import Phase
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.part_status import METRICS
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()
LOGGING = ("orchestrator/distributed", "orchestrator/monitoring", "protocol/transport")
"""The folders that log."""
LEVELS = {"debug", "info", "warning", "error"}
NEVER_LOGGED = {RunPhase.ENROLLING.value, RunPhase.FAILED.value}
"""Every run begins with the first, and `run failed` stands for the second."""


def logged(source: str) -> Iterator[str]:
    """Yield the fixed messages that a module logs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            methods = {part.attr for part in ast.walk(node.func) if isinstance(part, ast.Attribute)}
            if methods & LEVELS and isinstance(node.args[0].value, str):
                yield node.args[0].value


def messages_of_the_code() -> set[str]:
    """Return all messages: those with fixed texts, and the phases of runs and households."""
    files = [file for folder in LOGGING for file in Path(ROOT / folder).glob("*.py")]
    fixed = {message for file in files for message in logged(file.read_text())}
    phases = {phase.value for phase in [*RunPhase, *Phase]} - NEVER_LOGGED
    return fixed | phases


def messages_of_the_page() -> set[str]:
    """Return the messages in the first column of the table of log lines."""
    table = PAGE.split("| message | part |")[1].split("\n\n")[0]
    return {
        message
        for row in table.splitlines()[2:]
        for message in re.findall(r"`([^`]+)`", row.split("|")[1])
    }


def test_the_page_has_the_log_messages_of_the_code() -> None:
    assert messages_of_the_page() == messages_of_the_code()


def test_the_page_has_the_metrics_of_the_code() -> None:
    rows = re.findall(r"^\| `(coflex_\w+)` \| (counter|gauge) \| (.+) \|$", PAGE, re.M)
    shown = {name.removesuffix("_total"): (kind, text) for name, kind, text in rows}
    unlabelled = {name: about for name, about in shown.items() if name != "coflex_run_stage"}
    assert unlabelled == {name: (metric.kind, metric.help) for name, metric in METRICS.items()}


def test_a_message_behind_a_condition_is_found() -> None:
    source = """(log.info if often else log.debug)("iteration over", iteration=1)"""
    assert list(logged(source)) == ["iteration over"]
