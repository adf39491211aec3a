"""Fields of the registry's shapes, and of rooms above that ask for the same: codes, telephones, outlines."""

from typing import Any

from marshmallow import fields

from core.fields import Text

DIVISION = {"least": 110000, "most": 829999}


class Code(Text):
    """A code as papers bear it: letters, digits, and the marks between them."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            code=True,
            most=64,
            pattern=r"[\w〔〕（）()第号.:/#-]{1,64}",
            expected=("字母、数字与连接符", "letters, digits and marks between them"),
            **kwargs,
        )


class PlainCode(Text):
    """A code that goes into the evidence: no words, so that nobody's name slips in."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            code=True,
            most=40,
            pattern=r"[0-9A-Za-z][0-9A-Za-z._/-]{2,39}",
            expected=(
                "3至40位字母、数字、点、斜线或连字符",
                "3 to 40 letters, digits, dots, slashes, hyphens",
            ),
            **kwargs,
        )


class Phone(Text):
    """A telephone number, lightly: digits, perhaps a plus, spaces or hyphens, which are dropped."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            code=True,
            most=24,
            pattern=r"\+?[0-9][0-9 -]{4,20}[0-9]",
            expected=("6至15位数字", "6 to 15 digits"),
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        digits = super()._deserialize(value, attr, data, **kwargs).replace(" ", "").replace("-", "")
        if not 6 <= len(digits.removeprefix("+")) <= 15:
            raise self.make_error("pattern", expected_zh=self.expected_zh, expected=self.expected)
        return digits


class Geometry(fields.Dict):
    """GeoJSON geometry; whether it is an area is judged with its datum."""

    default_error_messages = {  # noqa: RUF012 (marshmallow's own way to say it)
        "required": "required|必须填写|expected a value, found none",
        "null": "null|不能为空|expected a value, found null",
        "invalid": "object|应为 GeoJSON 对象|expected a GeoJSON object",
    }


def model_code(**kwargs: Any) -> Text:
    """A bottle's model as it is stamped: YSP35.5, YSP118/49.5, YSP118/液/49.5 (GB 5842-2023)."""
    return Text(
        most=64,
        code=True,
        pattern=r"[0-9A-Za-z./()_液-]+",
        expected=("规格代号，如 YSP35.5", "a type's code, as YSP35.5"),
        **kwargs,
    )
