from __future__ import annotations

from testbed.bench import table


def test_a_ratio_below_its_bound_is_not_met():
    assert table.ratio_row("x", 80.0, "Envoy", 100.0, 0.8).met
    assert table.ratio_row("x", 79.0, "Envoy", 100.0, 0.8).met is False
    assert table.ratio_row("x", None, "Envoy", 100.0, 0.8).met is None


def test_without_h2load_the_table_says_so(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "nghttp2-client" in str(table.ratio_row("x", None, "Envoy", None, 0.8))


def test_the_lines_of_the_table_have_the_same_columns():
    row = table.Row("start", "1.2 s", "≤ 2 s", met=True)
    lines = [*table.heading().splitlines(), str(row), str(table.Row("x", "-", "", met=None))]
    assert {line.count("|") for line in lines} == {5}
    assert len({len(line) for line in lines}) == 1
    assert "| yes" in str(row)
