"""Data files: every number is exact, every meaning is kept, damaged and odd files are refused with
their name."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typer.testing import CliRunner

from agents.plans import Plans, Population, ScoreMeaning
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.atomic_write import drafted
from agents.population.loader import data_sha256, load
from agents.population.synthetic import generate
from orchestrator.cli import app
from protocol.errors import InputError

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def plans_file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "agent_0.plans"
    path.write_bytes(content)
    return path


def bits(population: Population) -> list[object]:
    """Return all content in a form in which -0.0 and 0.0 differ."""
    target = population.target
    return [
        target if target is None else target.tobytes(),
        *(
            (
                name,
                plans.meaning,
                plans.values.shape,
                plans.values.tobytes(),
                plans.scores.tobytes(),
            )
            for name, plans in population.households.items()
        ),
    ]


def one(meaning: ScoreMeaning = "preference", **options: Any) -> Population:
    members = {"h0": Plans(np.eye(2), np.array([0.25, 0.5]), meaning)}
    return replace(Population(members, "here"), **options)


@st.composite
def populations(draw: st.DrawFn) -> Population:
    slots = draw(st.integers(1, 4))
    members = {}
    for number in range(draw(st.integers(1, 3))):
        plans = draw(st.integers(1, 3))
        members[f"h{number}"] = Plans(
            draw(arrays(np.float64, (plans, slots), elements=FINITE)),
            draw(arrays(np.float64, plans, elements=FINITE)),
            "cost",
        )
    target = draw(st.none() | arrays(np.float64, slots, elements=FINITE))
    return Population(members, "drawn", target, "file")


@given(populations())
@settings(max_examples=40, deadline=None)
def test_folder_file_folder_keeps_every_bit(population: Population) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        epos_folder.write(population, place / "a")
        archive.write(load(place / "a"), place / "b.npz")
        epos_folder.write(load(place / "b.npz"), place / "c")
        for made in ("a", "b.npz", "c"):
            assert bits(load(place / made)) == bits(population)
            assert load(place / made).meaning_source == "file"
            assert data_sha256(load(place / made)) == data_sha256(population)


@pytest.mark.parametrize(
    "text",
    # halfway cases, the smallest and largest numbers, more digits than a float64 holds
    [
        "9007199254740993",
        "5e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "-0.0",
        "0.1000000000000000055511151231257827021181583404541015625",
        "1e23",
        "8.5e-1",
        "+3",
        " 4 ",
    ],
)
def test_numbers_are_read_to_the_nearest_float(tmp_path: Path, text: str) -> None:
    plans = epos_folder.read_agent(plans_file(tmp_path, f"{text}:{text},1\n".encode()))
    assert plans.values[0, 0].hex() == float(text).hex()
    assert plans.scores[0].hex() == float(text).hex()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"1:1_0,2\n", r"line 1: not a number: value 1 is '1_0'"),
        ("1:2,\u0661\n".encode(), r"line 1: not a number: value 2"),
        (b"1:1,2\x0c1:3,4\n", r"line 1: not a number: value 2"),
        (b"1:1,2\n1:1,1e999\n", r"line 2: a value is NaN or infinite: value 2 is inf"),
        (b"1,2:3,4\n", r"line 1, field score: more than one score"),
        (b":1,2\n", r"line 1: not a number: score 1 is ''"),
        (b"1:\n", r"line 1: not a number: value 1 is ''"),
        (b"\n \n", r"no plans"),
        (b"1:1,\xff\n", r"cannot be read as text"),
        ("1:1,2\n".encode("utf-16"), r"cannot be read as text"),
    ],
)
def test_a_text_that_is_not_a_number_is_named(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = plans_file(tmp_path, content)
    with pytest.raises(InputError, match=complaint) as refusal:
        load(tmp_path)
    assert refusal.value.file == path


def test_empty_lines_at_the_end_are_ignored(tmp_path: Path) -> None:
    path = plans_file(tmp_path, b"1:1,2\r\n0.5:3,4\r\n\r\n\n")
    assert epos_folder.read_agent(path).values.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("number", [0, -1])
def test_fewer_than_one_household_is_refused(tmp_path: Path, number: int) -> None:
    plans_file(tmp_path, b"1:1,2\n")
    with pytest.raises(InputError, match="must be at least 1"):
        load(tmp_path, households=number)


def test_households_of_a_file_are_the_first_ones(tmp_path: Path) -> None:
    population = generate(households=4, slots=36, seed=2)
    archive.write(population, tmp_path / "x.npz")
    assert list(load(tmp_path / "x.npz", households=2).households) == ["h0", "h1"]
    with pytest.raises(InputError, match="5 is not possible: the file has 4"):
        load(tmp_path / "x.npz", households=5)


def test_a_target_of_another_length_is_refused_only_when_used(tmp_path: Path) -> None:
    plans_file(tmp_path, b"1:1,2\n")
    (tmp_path / "a.target").write_text("1,2,3\n")
    target = load(tmp_path).target
    assert target is not None
    assert target.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(InputError, match="3 values, but plans have 2 slots"):
        epos_folder.read_target(tmp_path / "a.target", 2)
    (tmp_path / "a.target").write_text("1,two,3\n")
    with pytest.raises(InputError, match=r"a.target, line 1: not a number: value 2 is 'two'"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["made", "made.npz"])
def test_a_stated_meaning_is_kept_and_a_default_stays_a_default(tmp_path: Path, name: str) -> None:
    write = archive.write if name.endswith(".npz") else epos_folder.write
    for number, (population, source) in enumerate(
        [
            (one("cost"), "file"),
            (one("cost", meaning_source="option"), "file"),
            (one("preference", meaning_source="option"), "file"),
            (one("preference"), "default"),
        ]
    ):
        (tmp_path / str(number)).mkdir()
        write(population, tmp_path / str(number) / name)
        read = load(tmp_path / str(number) / name)
        assert bits(read) == bits(population)
        assert read.meaning_source == source


def test_a_description_next_to_an_archive(tmp_path: Path) -> None:
    (tmp_path / "coflex.toml").write_text('score = "cost"\n')
    archive.write(one(), tmp_path / "silent.npz")
    silent = load(tmp_path / "silent.npz")
    assert (silent.households["h0"].meaning, silent.meaning_source) == ("cost", "file")
    archive.write(one(meaning_source="option"), tmp_path / "spoken.npz")
    with pytest.raises(InputError, match="says cost, but the file says preference"):
        load(tmp_path / "spoken.npz")
    chosen = load(tmp_path / "spoken.npz", score="preference")
    assert (chosen.households["h0"].meaning, chosen.meaning_source) == ("preference", "option")


def test_a_description_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    plans_file(tmp_path, b"1:1,2\n")
    (tmp_path / "coflex.toml").write_bytes('\ufeffscore = "cost"\n'.encode())
    assert load(tmp_path).households["h0"].meaning == "cost"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"values": lambda a: a + 1j}, "field values: complex128 .* do not fit: expected float64"),
        ({"values": lambda a: a.astype("f4")}, "field values: float32"),
        ({"values": lambda a: a[:, :0]}, "no households, or no slots"),
        ({"scores": lambda a: a.astype(str)}, "field scores: <U"),
        ({"counts": lambda _: np.array([2**63 - 1, 2**63 - 1, 32])}, "counts do not add up"),
        ({"counts": lambda a: a - a}, "counts do not add up"),
        ({"ids": lambda _: np.arange(3)}, "field ids: int64"),
        ({"ids": lambda a: a[:, None]}, "field ids: .* 2 dimensions"),
        ({"version": lambda a: a + 0.5}, "field version: float64"),
        ({"version": lambda a: a + 1}, "format version 2, only 1 can be read"),
        ({"target": lambda _: np.array([1.0, np.inf])}, "field target: a value is NaN or infinite"),
    ],
)
def test_arrays_of_the_wrong_kind_are_refused(
    tmp_path: Path, change: dict[str, Callable[[Any], Any]], complaint: str
) -> None:
    archive.write(generate(households=3, slots=36, seed=0), tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as content:
        parts = {**dict.fromkeys(change, None), **content}
    parts.update({name: alter(parts[name]) for name, alter in change.items()})
    np.savez(tmp_path / "x.npz", **parts)
    with pytest.raises(InputError, match=complaint) as refusal:
        load(tmp_path / "x.npz")
    assert refusal.value.file == tmp_path / "x.npz"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_archives_are_read_or_refused_with_the_file_named(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "x.npz")
        archive.write(one("cost"), path)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.none())])
        outcome: Population | InputError
        try:
            outcome = load(path)
        except InputError as error:
            outcome = error
    assert (outcome.file == path) if isinstance(outcome, InputError) else (outcome.slots == 2)


@pytest.mark.parametrize("name", ["made", "made.npz"])
def test_nothing_is_overwritten_and_nothing_is_left_behind(tmp_path: Path, name: str) -> None:
    write = archive.write if name.endswith(".npz") else epos_folder.write
    write(one(), tmp_path / "deep" / name)
    before = load(tmp_path / "deep" / name)
    with pytest.raises(InputError, match="exists already"):
        write(one("cost"), tmp_path / "deep" / name)
    assert bits(load(tmp_path / "deep" / name)) == bits(before)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write(one(), tmp_path / "file" / name)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="exists already"):
        write(one(), tmp_path / "link")
    assert sorted(p.name for p in tmp_path.rglob("*") if p.name.startswith(".")) == []
    usual = tmp_path / "usual"
    usual.mkdir()
    if (tmp_path / "deep" / name).is_dir():
        assert (tmp_path / "deep" / name).stat().st_mode == usual.stat().st_mode


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    epos_folder.write(one(), tmp_path / "empty")
    assert bits(load(tmp_path / "empty")) == bits(one())


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(error: Exception) -> None:
        with drafted(tmp_path / "new") as draft:
            draft.mkdir()
            (draft / "half").write_text("")
            raise error

    with pytest.raises(ZeroDivisionError):
        fail(ZeroDivisionError())
    with pytest.raises(InputError, match="new: cannot be written: disk full"):
        fail(OSError(28, "disk full"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.npz").mkdir()  # a file cannot take the place of a folder, even an empty one
    with pytest.raises(InputError, match="cannot be written"):
        archive.write(one(), tmp_path / "x.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_convert_reports_what_the_new_format_does_not_keep(tmp_path: Path) -> None:
    archive.write(Population({"attic": one().households["h0"]}, "x"), tmp_path / "x.npz")
    runner = CliRunner()
    result = runner.invoke(app, ["convert", str(tmp_path / "x.npz"), str(tmp_path / "folder")])
    assert "its coflex.toml keeps their old names" in result.output
    for name in ("a.target", "b.target"):
        (tmp_path / "folder" / name).write_text("1,2\n")
    back = ["convert", str(tmp_path / "folder"), str(tmp_path / "y.npz"), "--score", "cost"]
    result = runner.invoke(app, back)
    assert "has 2 targets" in result.output
    converted = load(tmp_path / "y.npz")
    assert (converted.target, converted.meaning_source) == (None, "file")
    assert converted.households["h0"].preferred_index == 0
