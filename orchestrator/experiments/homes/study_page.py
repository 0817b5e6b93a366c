"""The page of the study of homes: each question with its answer in words, table and figure."""

from collections.abc import Sequence
from pathlib import Path

from orchestrator.experiments.homes.study import Question
from orchestrator.reporting.figures.interactive import SCRIPT, files_of, script
from orchestrator.reporting.html_page import PlacedFigure, render
from orchestrator.results.atomic_folder import publish

PAGE = "index.html"


def write_study(questions: Sequence[Question], source: str, folder: Path) -> Path:
    """Write the page, and a picture and a table for each question; return the path of the page.

    Raises InputError if the folder cannot be written.
    """
    placed = [
        (own, PlacedFigure.of(own.chart, name=own.chart.name, title=own.title)) for own in questions
    ]
    html = render(
        "experiments/homes/study.html.j2",
        title="coflex: a study of homes",
        lead=source,
        questions=placed,
    )
    files = {PAGE: html.encode(), SCRIPT: script()}
    for own, figure in placed:
        files |= files_of(figure.drawing, own.chart.name)
    publish(folder, files, seal=PAGE)
    return folder / PAGE
