"""A register list as integrators have it (CSV or XLSX, Chinese or English) becomes a profile file.

`sheet` reads the file, `columns` finds out what stands where, `addresses`, `datatypes`, `numbers` and `meaning` read
one cell each, `rows` makes channels of rows, `convert` ties it together, `text` writes TOML. Nothing is lost unsaid.
"""

from edge_agent.devices.register_list.cells import RowProblem
from edge_agent.devices.register_list.convert import ImportedProfile, ListOptions, convert_list
from edge_agent.devices.register_list.sheet import Sheet, read_sheet

__all__ = ["ImportedProfile", "ListOptions", "RowProblem", "Sheet", "convert_list", "read_sheet"]
