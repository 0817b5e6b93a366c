"""The report of a run: figures, the data behind each, and one page with all of them.

Needs the packages of the extra `report`; nothing else of coflex does, so they are imported late.
"""

from pathlib import Path

from orchestrator.results.atomic_folder import publish
from orchestrator.results.run_results import RunResults

PAGE = "index.html"


def write_report(results: RunResults, folder: Path, origin: Path | None = None) -> Path:
    """Write a PNG and a CSV for each figure, and the page, and return the page's path.

    `origin` is the folder with the results, for the schedules that may be saved there. Raises
    InputError where the folder cannot be written.
    """
    from orchestrator.reporting.figures.planning import drawings
    from orchestrator.reporting.household_view import read_schedules
    from orchestrator.reporting.html_page import page

    drawn = drawings(results)
    schedules = {} if origin is None else read_schedules(results, origin)
    files = {PAGE: page(results, drawn, schedules).encode()}
    for drawing in drawn:
        files[f"{drawing.name}.png"] = drawing.png
        files[f"{drawing.name}.csv"] = drawing.table.csv().encode()
    publish(folder, files, seal=PAGE)
    return folder / PAGE
