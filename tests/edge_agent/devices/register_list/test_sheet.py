from pathlib import Path

import openpyxl
import pytest

from edge_agent.devices.register_list.columns import Column
from edge_agent.devices.register_list.sheet import read_sheet
from edge_agent.errors import ConfigError

ROWS = [
    ["名称", "地址", "类型", "备注"],
    ["主燃室温度", "40001", "REAL", "热电偶, K 型"],
    ["含氧量", "40003", "INT", ""],
]


def csv_text(separator: str) -> str:
    return "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in ROWS)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_csv_in_any_usual_dress_is_read(tmp_path: Path, separator: str, encoding: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(csv_text(separator).encode(encoding))
    sheet = read_sheet(path, {})
    assert sheet.headings == tuple(ROWS[0])
    assert sheet.columns == {Column.NAME: 0, Column.ADDRESS: 1, Column.TYPE: 2, Column.COMMENT: 3}
    assert [row.cells for row in sheet.rows] == [tuple(ROWS[1]), tuple(ROWS[2])]


def test_titles_above_and_empty_rows_between_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"某殡仪馆 1 号炉,,,\n版本 2,,,\n{csv_text(',')}\n,,,\n", encoding="utf-8")
    assert [row.number for row in read_sheet(path, {}).rows] == [4, 5]


def test_headings_that_nobody_knows_can_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Bezeichnung;Ort im Speicher\nTemperatur;HR0\n", encoding="utf-8")
    sheet = read_sheet(path, {"bezeichnung": Column.NAME, "ortimspeicher": Column.ADDRESS})
    assert sheet.columns == {Column.NAME: 0, Column.ADDRESS: 1}


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for title, rows in sheets.items():
        worksheet = book.create_sheet(title)
        for row in rows:
            worksheet.append(row)
    book.save(path)
    return path


def test_the_sheet_with_the_headings_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    cover: list[list[object]] = [["说明"], ["本表为 PLC 变量"]]
    table: list[list[object]] = [["名称", "地址", "倍率"], ["含氧量", 40001.0, 0.1], ["温度", 40002, None]]
    path = workbook(tmp_path / "list.xlsx", {"封面": cover, "变量": table})
    sheet = read_sheet(path, {})
    assert [row.cells for row in sheet.rows] == [("含氧量", "40001", "0.1"), ("温度", "40002", "")]
    assert "封面" in sheet.notes[0]


def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    one: list[list[object]] = [["名称", "地址", "类型"], ["a", 1, "INT"]]
    other: list[list[object]] = [["名称", "地址"], ["b", 2]]
    path = workbook(tmp_path / "list.xlsx", {"one": one, "other": other})
    assert read_sheet(path, {}, "other").rows[0].cells == ("b", "2")
    with pytest.raises(ConfigError, match=r'no sheet "third" \(allowed: one, other\)'):
        read_sheet(path, {}, "third")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("list.csv", b"\xff\xff\x81\xff", "is not text in a known encoding"),
        ("list.csv", b"", "no row of headings"),
        ("list.csv", "温度,40001\n压力,40002".encode(), "no row of headings with a name and an address"),
        ("list.csv", "名称,类型\n压力,INT".encode(), "best: 名称, 类型"),
        ("list.xls", b"", "save it as .xlsx"),
        ("list.xlsx", b"PK no zip", "is no workbook"),
    ],
)
def test_a_file_that_is_no_list_is_one_clear_line(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_sheet(path, {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_sheet(tmp_path / "nowhere.csv", {})
