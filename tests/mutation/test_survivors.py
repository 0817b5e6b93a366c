"""The list of survivors: keys that last, and a reason for each."""

import re
from pathlib import Path

import pytest

from tests.mutation.groups import EXCHANGE_CASES, GROUPS, PLANNING_CASES, WHOLE_RUNS
from tests.mutation.survivors import FILE, Survivor, as_toml, defended, mutation_of
from tests.support.paths import ROOT

DIFFERENCE = """--- a.py
+++ a.py
@@ -7,3 +7,3 @@
 def f(x):
-    return x + 1
+    return x - 1
     # "end"
"""


def test_the_key_of_a_mutation_does_not_depend_on_line_numbers() -> None:
    assert mutation_of(DIFFERENCE) == "return x + 1 -> return x - 1"
    assert mutation_of(DIFFERENCE.replace("-7,3 +7,3", "-90,3 +90,3")) == mutation_of(DIFFERENCE)


def test_printed_entries_are_valid_once_they_have_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "survivors.toml"
    survivors = [Survivor("a.py", "A.f", 'x = "ä\\n" -> x = None'), Survivor("a.py", "g", "0 -> 1")]
    file.write_text(as_toml(survivors))
    with pytest.raises(ValueError, match="no reason"):
        defended(file)
    file.write_text(as_toml(survivors).replace('reason = ""', 'reason = "equal"'))
    assert defended(file) == dict.fromkeys(survivors, "equal")


def test_every_defended_survivor_is_in_a_mutated_module() -> None:
    modules = {file for group in GROUPS for file in group.files()}
    assert all(group.files() for group in GROUPS)
    assert {survivor.module for survivor in defended(FILE)} <= modules


@pytest.mark.parametrize("name", [*PLANNING_CASES, *EXCHANGE_CASES, *WHOLE_RUNS])
def test_tests_that_are_left_out_exist(name: str) -> None:
    sources = (ROOT / "tests" / "agents").rglob("test_*.py")
    assert any(re.search(rf"def test_\w*{name}\w*\(", source.read_text()) for source in sources)
