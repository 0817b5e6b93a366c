"""Every coflex command on the pages works as shown, on small data; every link leads somewhere."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.distributed.embedded_server import EmbeddedServer
from tests.support.paths import ROOT

COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
SMALLER = {
    "run --demo": ["--households", "6", "--slots", "36", "--iterations", "3"],
    "generate --households": ["--slots", "36"],
    # One worker runs in this process; further ones would leave their resource tracker behind.
    "sweep": ["--workers", "1"],
    "manipulate": ["--workers", "1"],
    "paper": ["--workers", "1", "--households", "0"],
    "generate --from": ["--slots", "48", "--scheme", "shuffle:3"],
}
"""Options added to a command that would take long, by how the command starts."""
PARTS = ("host", "matchmaker", "orchestrate")
"""Commands that need one another, and a server."""
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]


def commands() -> list[str]:
    """Return the coflex commands in the README's shell blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line.removeprefix("coflex ") for line in lines if line.startswith("coflex ")]


def test_the_commands_work_in_the_order_shown(shared: Path) -> None:
    runner = CliRunner()
    make = ["generate", "--households", "5", "--slots", "36", "--out", "DIR"]
    assert runner.invoke(app, make).exit_code == 0
    hours = np.arange("2026-01-05T00", "2026-01-07T00", dtype="datetime64[h]")
    times = hours.astype("datetime64[m]")
    rows = "".join(f"{time},{i % 5},{i % 7}\n" for i, time in enumerate(times))
    Path("meters.csv").write_text("time,left,right\n" + rows)
    trace = shared / "golden" / "energy50_k3_VAR_b0.json"
    found = [command for command in commands() if command.split()[0] not in PARTS]
    assert len(found) >= 9
    for command in found:
        command = command.replace("TRACE.json", str(trace))
        if command.startswith("verify"):
            command = command.replace("DIR", str(shared / "data"))
        if command.startswith("convert"):
            Path("population.npz").unlink()
        smaller = [more for start, more in SMALLER.items() if command.startswith(start)]
        words = [*shlex.split(command), *(word for more in smaller for word in more)]
        result = runner.invoke(app, words)
        assert result.exit_code == 0, (command, result.output, result.exception)
    assert (Path("results") / "run.json").exists()
    assert list((Path("results") / "report").glob("*.html"))


@pytest.mark.nats
def test_the_commands_for_several_machines_work_together() -> None:
    *parts, orchestrate = [command for command in commands() if command.split()[0] in PARTS]
    assert len(parts) == 3
    with EmbeddedServer() as server:
        started = [
            subprocess.Popen([*COFLEX, *shlex.split(command.replace("URL", server.url))])
            for command in parts
        ]
        try:
            small = ["--households", "6", "--slots", "36", "--iterations", "3"]
            words = shlex.split(orchestrate.replace("URL", server.url)) + small
            result = CliRunner().invoke(app, words)
            assert result.exit_code == 0, (result.output, result.exception)
        finally:
            for process in started:
                process.terminate()
                process.wait()
    assert (Path("results") / "run.json").exists()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/index.md"])
def test_the_make_targets_on_a_page_exist(page: str) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / page).read_text(), re.M))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert named
    assert named <= targets


def test_the_readme_lists_every_option_of_a_run() -> None:
    text = (ROOT / "README.md").read_text()
    offered = set(re.findall(r"`(--[a-z-]+)", text)) | set(re.findall(r"\(`(--[a-z-]+)", text))
    help_text = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).output
    missing = set(re.findall(r"--[a-z][a-z-]+", help_text)) - offered - {"--help"}
    assert not missing


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "docs").glob("*.md")))
def test_commands_on_other_pages_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for command in re.findall(r"`coflex ([a-z]+)", text):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub and mkdocs give to the headings of a page."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    titles = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text)
    for target, anchor in links:
        place = (ROOT / page).parent / target if target else ROOT / page
        assert place.exists(), (page, target)
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place.read_text()), (page, target, anchor)
