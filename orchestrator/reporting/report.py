"""The report of a run: figures, the data behind each, and one page with all of them.

It needs the packages of the extra `report`, so they are imported inside the function.
"""

from pathlib import Path

from orchestrator.results.atomic_folder import publish
from orchestrator.results.run_results import RunResults

PAGE = "index.html"


def write_report(results: RunResults, folder: Path, origin: Path | None = None) -> Path:
    """Write a PNG and a CSV file for each figure, and the page; return the path of the page.

    `origin` is the folder with the results, which may have schedules. Raises InputError if the
    folder cannot be written.
    """
    from orchestrator.reporting.figures.planning import drawings
    from orchestrator.reporting.household_view import read_home_devices, read_schedules
    from orchestrator.reporting.html_page import page

    drawn = drawings(results)
    schedules = {} if origin is None else read_schedules(results, origin)
    devices = {} if origin is None else read_home_devices(results, origin)
    files = {PAGE: page(results, drawn, schedules, devices).encode()}
    for drawing in drawn:
        files[f"{drawing.name}.png"] = drawing.png
        files[f"{drawing.name}.csv"] = drawing.table.csv().encode()
    publish(folder, files, seal=PAGE)
    return folder / PAGE
