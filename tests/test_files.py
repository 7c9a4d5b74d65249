"""What is written comes back as it was, whole or not at all; what is damaged is for tests/test_hostile_files.py."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilm.files import read_json, read_rows, whole_file, write_json, write_rows

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))


@given(st.lists(st.tuples(CELL, CELL), min_size=1))
def test_a_table_comes_back_whatever_its_cells_hold(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("tables") / "one" / "runs.csv"
    rows = [{"run": run, "story": story} for run, story in [*cells, ("a\x85b", "c\u2028d\ve")]]
    write_rows(path, rows)
    assert read_rows(path, "run", "story") == rows
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == rows


def test_a_new_row_takes_no_column_from_the_earlier_ones(tmp_path):
    write_rows(tmp_path / "runs.csv", [{"run": "old", "judged": 1}, {"run": "new", "bits": 2}])
    assert read_rows(tmp_path / "runs.csv") == [{"run": "old", "bits": "", "judged": "1"}, {"run": "new", "bits": "2", "judged": ""}]


def test_settings_come_back(tmp_path):
    write_json(tmp_path / "run.json", content := {"corpus": "Märchen", "steps": [1, None]})
    assert read_json(tmp_path / "run.json", "a record") == content


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path, mode):
    path = tmp_path / "table"
    path.write_text("old")
    with pytest.raises(MemoryError, match="no room"), whole_file(path, mode) as file:
        file.write("half" if mode == "w" else b"half")
        raise MemoryError("no room")
    assert [one.name for one in tmp_path.iterdir()] == ["table"] and path.read_text() == "old"
