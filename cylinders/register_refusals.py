"""Every "no" about the register of bottles, by hand or from a file. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by

CHECK_STAMPS = ("check_stamps", "核对钢印和标签", "check the stamps and the label")

# S03: what there may be only one of
IDENTIFIER_TAKEN = reason(
    "cylinder.identifier_taken",
    "S03",
    zh="这个编码已经用过，一码一瓶，永不复用",
    en="this code has been used: one code, one bottle, for ever",
    office=CHECK_STAMPS,
)
IDENTIFIER_TWICE = reason(
    "cylinder.identifier_twice",
    "S03",
    zh="同一编码写了两次",
    en="the same code is given twice",
    office=CHECK_STAMPS,
)
TYPE_TAKEN = reason(
    "cylinder_type.taken",
    "S03",
    zh="型号{model}已在目录中",
    en="the model {model} is in the catalogue",
    office=("use_standing", "使用已有型号", "use the standing entry"),
)

# Registers that come in as files
ROWS_WRONG = reason(
    "import.rows_wrong",
    "S05",
    zh="{lines}行有误，整份文件未导入",
    en="{lines} lines are wrong: nothing of the file was taken over",
    office=(
        "mend_file",
        "取回错误清单，改正后重新导入",
        "fetch the list of faults, mend the lines, import again",
    ),
)
FILE_IMPORTED = reason(
    "import.file_imported",
    "S05",
    zh="这份文件已经导入过",
    en="this file has been imported already",
    office=("look_up_import", "查看原来的导入结果", "look at what came of it"),
)

CONTRADICTS_TYPE = reason(
    "cylinder.contradicts_type",
    "F09",
    zh="档案写的{name}（{given}）与型号{model}的（{catalogue}）不一致",
    en="the row's {name} ({given}) is not that of the model {model} ({catalogue})",
    office=CHECK_STAMPS,
)
FACT_ON_FILE = reason(
    "cylinder.fact_on_file",
    "S03",
    zh="档案里{name}已经是{value}，补录只补没有的",
    en="the file has {value} as {name}: only what it lacks can be completed",
    office=CHECK_STAMPS,
)

held_by("pk_cylinder_identifier", IDENTIFIER_TAKEN)
held_by("pk_cylinder_type", TYPE_TAKEN)
