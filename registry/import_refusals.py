"""The "no" of a register read in from a file: which row, and what of it."""

from core.refusal import reason

ROW_WRONG = reason(
    "import.row_wrong",
    "S05",
    zh="第{row}行{pointer}填写有误（{fault}）",
    en="row {row}: {pointer} is wrong ({fault})",
    office=("mend_file", "改正该行后重新导入", "mend the row and import again"),
)
