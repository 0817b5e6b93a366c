"""Which kind of file a meter file is, by its first bytes, and the table it holds.

Decides between Parquet, NEM12, Green Button XML and tables of text; refuses what is none of them.
"""

import importlib
from dataclasses import replace
from pathlib import Path

from agents.metering.options import MeterOptions
from agents.metering.table import green_button, nem12
from agents.metering.table.encoding import decode
from agents.metering.table.source_table import SourceTable, table_of_parquet, table_of_text
from protocol.errors import InputError

_WRONG_KINDS = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV",
    b"\x1f\x8b": "is compressed: unpack it first",
    b"\x89HDF": "is an HDF5 file: export its table as CSV or Parquet",
    b"%PDF": "is a PDF: ask for the readings as CSV",
}


def load_table(path: Path, options: MeterOptions) -> tuple[SourceTable, MeterOptions]:
    """Return the table in a file, whatever its kind, and options that fit it."""
    if not _has_pandas():
        raise InputError(
            "reading meter files needs pandas: install the extra with "
            "`pip install 'coflex[report]'`",
            file=path,
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except IsADirectoryError:
        raise InputError("is a folder: name one file", file=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    for start, reason in _WRONG_KINDS.items():
        if data.startswith(start):
            raise InputError(reason, file=path)
    if data.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return table_of_parquet(data, path), options
    text, notes = decode(data, path, options.encoding)
    if nem12.is_nem12(text):
        table = nem12.table_of_nem12(text, path)
        options = _named(options, nem12.TIME, household=nem12.NMI, value=nem12.READING)
    elif text.lstrip().startswith("100,NEM13"):
        raise InputError("is NEM13, totals of months: ask for the interval data, NEM12", file=path)
    elif text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise InputError(
            "is a web page, perhaps one to log in: download the file itself", file=path
        )
    elif green_button.is_xml(text):
        table = green_button.table_of_green_button(text, path)
        options = _named(
            options, green_button.TIME, household=green_button.METER, value=green_button.READING
        )
    elif text.lstrip().startswith(("{", "[{", "[[", "[\n")):
        raise InputError("is JSON: save the readings as CSV, one row for each time", file=path)
    else:
        table = table_of_text(text, path)
    table.notes.extend(notes)
    return table, options


def _has_pandas() -> bool:
    try:
        return importlib.import_module("pandas") is not None
    except ImportError:
        return False


def _named(options: MeterOptions, time: str, *, household: str, value: str) -> MeterOptions:
    return replace(
        options,
        layout="long",
        time_column=time,
        household_column=household,
        value_column=value,
        columns=(),
        skip_columns=(),
    )
