"""EPOS folders and archives, read and written, with every malformed input refused."""

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from agents.plans import Plans, Population
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.loader import data_sha256, load
from agents.population.synthetic import generate
from orchestrator.cli import app
from protocol.errors import InputError


def folder(tmp_path: Path, *contents: str) -> Path:
    """Make a folder with one plans file for each text."""
    place = tmp_path / "data"
    place.mkdir()
    for number, text in enumerate(contents):
        (place / f"agent_{number}.plans").write_text(text)
    return place


def same(one: Population, other: Population) -> bool:
    return (
        list(one.households) == list(other.households)
        and all(
            np.array_equal(a.values, b.values)
            and np.array_equal(a.scores, b.scores)
            and a.meaning == b.meaning
            for a, b in zip(one.households.values(), other.households.values(), strict=True)
        )
        and np.array_equal(
            np.zeros(0) if one.target is None else one.target,
            np.zeros(0) if other.target is None else other.target,
        )
    )


def test_a_folder_is_read(tmp_path: Path) -> None:
    place = folder(tmp_path, "1:0.1,2e-3\n0.5:3,4\n", "0.25:-1,0\n")
    (place / "my goal.target").write_text("5,6\n")
    population = load(place)
    assert list(population.households) == ["h0", "h1"]
    assert population.households["h0"].values.tolist() == [[0.1, 0.002], [3.0, 4.0]]
    assert population.households["h0"].scores.tolist() == [1.0, 0.5]
    assert population.households["h1"].values.tolist() == [[-1.0, 0.0]]
    assert population.target is not None
    assert population.target.tolist() == [5.0, 6.0]


def test_bom_windows_lines_links_and_number_order(tmp_path: Path) -> None:
    place = folder(tmp_path, *(f"1:{n},0\r\n" for n in range(11)))
    (place / "agent_2.plans").write_bytes("\ufeff1:2,0\r\n".encode())
    link = tmp_path / "link"
    link.symlink_to(place)
    population = load(link)
    assert list(population.households) == [f"h{n}" for n in range(11)]
    assert [plans.values[0, 0] for plans in population.households.values()] == list(range(11))


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (["1:1,2\n1:1\n"], r"agent_0.plans, line 2: 1 slots, but line 1 has 2"),
        (["1:1,2\n", "1:1,2,3\n"], r"agent_1.plans, line 1: plans of 3 slots, .* has 2"),
        ([""], r"agent_0.plans: no plans"),
        (["1:1,nan\n"], r"agent_0.plans, line 1: a value is NaN or infinite"),
        (["1:1,2\n1:inf,2\n"], r"agent_0.plans, line 2: a value is NaN or infinite"),
        (["nan:1,2\n"], r"agent_0.plans, line 1, field score: the score is NaN"),
        (["1:1,two\n"], r"agent_0.plans, line 1: not a number: .*two"),
        (["one:1,2\n"], r"agent_0.plans, line 1: not a number: .*one"),
        (["1:1,\n"], r"agent_0.plans, line 1: not a number"),
        (["1,2,3\n"], r"agent_0.plans, line 1: expected score:value"),
        (["1:1,2\n\n1:1,2\n"], r"agent_0.plans, line 2: empty line"),
        ([], r"no households: there is no agent_0.plans"),
    ],
)
def test_a_malformed_folder_is_refused(tmp_path: Path, contents: list[str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        load(folder(tmp_path, *contents))


def test_missing_and_repeated_numbers_and_folders_are_refused(tmp_path: Path) -> None:
    place = folder(tmp_path, "1:1\n", "1:1\n", "1:1\n")
    with pytest.raises(InputError, match="4 is not possible: the folder has 3"):
        load(place, households=4)
    (place / "agent_02.plans").write_text("1:1\n")
    with pytest.raises(
        InputError, match=r"agent_2.plans: household h2 is already in agent_02.plans"
    ):
        load(place)
    (place / "agent_02.plans").unlink()
    (place / "agent_1.plans").rename(place / "agent_3.plans")
    with pytest.raises(InputError, match=r"agent_1.plans is missing"):
        load(place)
    (place / "agent_1.plans").mkdir()
    with pytest.raises(InputError, match=r"agent_1.plans: cannot be read"):
        load(place)
    with pytest.raises(InputError, match="no such folder or file"):
        load(tmp_path / "nowhere")
    (tmp_path / "text.txt").write_text("1")
    with pytest.raises(InputError, match="expected a folder"):
        load(tmp_path / "text.txt")


@given(st.binary(max_size=80))
def test_any_bytes_are_plans_or_are_refused_with_the_file_named(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "agent_0.plans")
        path.write_bytes(content)
        refusal = ""
        try:
            plans = epos_folder.read_agent(path)
        except InputError as error:
            refusal = str(error)
    assert refusal.startswith(str(path)) or np.isfinite(plans.values).all()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no target"),
        ("1,x", "line 1: not a number"),
        ("1,inf", "NaN or infinite"),
        ("1,2", "2 values, but plans have 3 slots"),
    ],
)
def test_a_malformed_target_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "a.target"
    path.write_text(content)
    with pytest.raises(InputError, match=complaint):
        epos_folder.read_target(path, 3)
    with pytest.raises(InputError, match="no such file"):
        epos_folder.read_target(tmp_path / "b.target", 3)


def test_only_the_first_plans_are_read_on_request(tmp_path: Path) -> None:
    path = folder(tmp_path, "nan:1,2\n1:3,4\nnot a plan\n") / "agent_0.plans"
    plans = epos_folder.read_agent(path, limit=2, allow_nan_scores=True)
    assert plans.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert plans.preferred_index == 1
    assert plans.discomforts("score").tolist() == [0.0, 1.0]
    assert plans.discomforts("preference").tolist() == [0.0, 0.0]


def test_both_ways_without_a_digit_lost(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    members = {
        f"h{n}": Plans(
            rng.standard_normal((n % 3 + 1, 5)) * 10.0 ** (7 * n - 20), rng.random(n % 3 + 1)
        )
        for n in range(6)
    }
    population = Population(members, "here", rng.random(5))
    epos_folder.write(population, tmp_path / "folder")
    archive.write(load(tmp_path / "folder"), tmp_path / "file.npz")
    epos_folder.write(load(tmp_path / "file.npz"), tmp_path / "again")
    for name in ("folder", "file.npz", "again"):
        assert same(load(tmp_path / name), population)
        assert data_sha256(load(tmp_path / name)) == data_sha256(population)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "file.npz", "folder"]
    with pytest.raises(InputError, match="exists already"):
        epos_folder.write(population, tmp_path / "again")


def test_the_digest_sees_every_part() -> None:
    base = generate(households=2, slots=36, seed=1)
    plans = base.households["h0"]
    other_values = plans.values.copy()
    other_values[-1, -1] += 1e-12
    variants = [
        base,
        Population({**base.households, "h0": Plans(other_values, plans.scores)}, "x"),
        Population({**base.households, "h0": Plans(plans.values, plans.scores * 2)}, "x"),
        Population({**base.households, "h0": Plans(plans.values, plans.scores, "cost")}, "x"),
        Population({"g0": plans, "h1": base.households["h1"]}, "x"),
        Population(base.households, "x", np.zeros(36)),
    ]
    assert len({data_sha256(variant) for variant in variants}) == len(variants)


def broken(change: Callable[[dict[str, np.ndarray]], object], tmp_path: Path) -> Path:
    """Return an archive with something changed."""
    path = tmp_path / "data.npz"
    archive.write(generate(households=3, slots=36, seed=0), path)
    with np.load(path) as content:
        parts = dict(content.items())
    change(parts)
    np.savez(path, allow_pickle=True, **parts)
    return path


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p.pop("scores"), "field scores: the array is missing"),
        (lambda p: p.update(version=np.array(2)), "format version 2"),
        (lambda p: p.update(meaning=np.array("luck")), "unknown meaning of scores 'luck'"),
        (lambda p: p.update(ids=np.array(["a", "b", "a"])), "two households have the same id"),
        (lambda p: p.update(counts=np.array([1, 2, 3])), "counts do not add up"),
        (lambda p: p.update(counts=np.array([10, 20])), "do not fit"),
        (lambda p: p.update(values=p["values"][:, 0]), "do not fit"),
        (lambda p: p.update(values=p["values"] * np.nan), "NaN or infinite"),
        (lambda p: p.update(target=np.array(["x"])), "field target"),
        (lambda p: p.update(ids=np.array([{}, {}, {}])), "not an .npz archive"),
    ],
)
def test_a_malformed_archive_is_refused(
    tmp_path: Path, change: Callable[[dict[str, np.ndarray]], object], complaint: str
) -> None:
    path = broken(change, tmp_path)
    with pytest.raises(InputError, match=complaint):
        load(path)


def test_files_that_are_not_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    for content in (b"", b"PK\x03\x04 not really", b"\x93NUMPY"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x.npz: not an .npz archive"):
            load(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))  # one array is no archive
    with pytest.raises(InputError, match=r"not an .npz archive"):
        load(path)
    with zipfile.ZipFile(path, "w") as empty:
        empty.writestr("readme", "nothing here")
    with pytest.raises(InputError, match="missing"):
        load(path)
    with pytest.raises(InputError, match="no such file"):
        archive.read(tmp_path / "y.npz")


def test_the_meaning_of_scores_and_its_source(tmp_path: Path) -> None:
    place = folder(tmp_path, "0.2:1,0\n0.9:0,1\n")
    assert load(place).households["h0"].preferred_index == 1
    assert load(place).meaning_source == "default"
    assert load(place, score="cost").households["h0"].preferred_index == 0
    assert load(place, score="cost").meaning_source == "option"
    (place / "coflex.toml").write_text('score = "cost"\n')
    assert load(place).households["h0"].preferred_index == 0
    assert load(place).meaning_source == "file"
    assert load(place, score="preference").households["h0"].preferred_index == 1
    for wrong, complaint in (
        ('score = "luck"', 'field score: expected "preference" or "cost"'),
        ("rank = 1", "field rank: unknown key"),
        ("score =", "not a TOML file"),
    ):
        (place / "coflex.toml").write_text(wrong)
        with pytest.raises(InputError, match=complaint):
            load(place)


def test_convert_on_the_command_line(tmp_path: Path) -> None:
    place = folder(tmp_path, "1:1,2\n0.5:2,1\n", "1:0,0\n")
    runner = CliRunner()
    there = runner.invoke(app, ["convert", str(place), str(tmp_path / "x.npz")])
    assert there.exit_code == 0
    assert "2 households" in there.output
    back = runner.invoke(app, ["convert", str(tmp_path / "x.npz"), str(tmp_path / "back")])
    assert back.exit_code == 0
    assert same(load(tmp_path / "back"), load(place))
    wrong = runner.invoke(app, ["convert", str(place), "x.npz", "--score", "luck"])
    assert isinstance(wrong.exception, InputError)


def test_the_real_data_reads_the_same_from_both(shared: Path, tmp_path: Path) -> None:
    population = load(shared / "data" / "energy")
    assert (len(population.households), population.slots) == (200, 144)
    archive.write(population, tmp_path / "energy.npz")
    assert same(load(tmp_path / "energy.npz"), population)
    gaussian = load(shared / "data" / "gaussian")
    assert gaussian.target is None  # two files: none is taken by itself
