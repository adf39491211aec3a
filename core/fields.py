"""Fields of requests and answers: the shapes of api.md, with the traps of JSON closed.

Faults are written "code|中文|English" so that the door (``core/http.py``) can word them in both languages.
Text is normalised (NFKC where it is a code) before it is measured, so that full-width digits are digits.
"""

import re
import unicodedata
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from core import clock

MAX_INT = 2**31 - 1
MOST_SCANNED = 512
EARLIEST_DAY = date(1950, 1, 1)
LATEST_DAY = date(2199, 12, 31)

REQUIRED = "required|必须填写|expected a value, found none"
NULL = "null|不能为空|expected a value, found null"


class Form(ma.Schema):
    """What comes in. Unknown fields are refused by name."""

    error_messages = {  # noqa: RUF012 (marshmallow's own way to say it)
        "unknown": "unknown_field|没有这个字段|there is no such field",
        "type": "object|应为一个对象|expected an object",
    }

    class Meta:
        unknown = ma.RAISE


class View(ma.Schema):
    """What goes out. Absent means "not yours to see", null means "not known": the document says so too."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.allow_none = True
        if "enum" in field_obj.metadata and None not in field_obj.metadata["enum"]:
            field_obj.metadata = {**field_obj.metadata, "enum": [*field_obj.metadata["enum"], None]}


# controls, marks of direction and zero width, lone surrogates, separators of lines: never part of a name
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def seen(text: str) -> str:
    """What is to be looked up as somebody typed or pasted it: less what cannot be seen, NUL among it."""
    return "".join(symbol for symbol in text if unicodedata.category(symbol) not in _UNSEEN).strip()


class Text(fields.Field[str]):
    """One line of text that can be seen, trimmed, at most ``most`` long."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "text": "text|应为文字|expected text",
        "symbols": "symbols|含有不能使用的字符|holds characters that cannot be used",
        "empty": "empty|不能为空|expected at least one character",
        "long": "too_long|最多{most}个字|expected at most {most} characters",
        "pattern": "pattern|格式不对：{expected_zh}|expected {expected}",
    }

    def __init__(
        self,
        *,
        most: int = 200,
        pattern: str | None = None,
        expected: tuple[str, str] = ("", ""),
        code: bool = False,
        **kwargs: Any,
    ):
        told: dict[str, Any] = {"maxLength": most}
        if pattern and kwargs.get("load_default") != "":  # a default must fit what is told
            told["pattern"] = f"^(?:{pattern})$"
        super().__init__(metadata=told, **kwargs)
        self.most = most
        self.pattern = re.compile(pattern) if pattern else None
        self.expected_zh, self.expected = expected
        self.form: Literal["NFC", "NFKC"] = "NFKC" if code else "NFC"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("text")
        if len(value) > 4 * self.most + 16:
            raise self.make_error("long", most=self.most)
        if value.isascii() and value.isprintable():
            text = value.strip()  # in every normal form already, and all of it seen
        else:
            text = unicodedata.normalize(self.form, value).strip()
            if any(unicodedata.category(symbol) in _UNSEEN for symbol in text):
                raise self.make_error("symbols")
        if not text:
            raise self.make_error("empty")
        if len(text) > self.most:
            raise self.make_error("long", most=self.most)
        if self.pattern and not self.pattern.fullmatch(text):
            raise self.make_error("pattern", expected_zh=self.expected_zh, expected=self.expected)
        return text

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class Scanned(fields.Field[str]):
    """Whatever a scanner read, up to 512 symbols: separators, marks of direction and emoji are no fault."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "text": "text|应为文字|expected text",
        "long": "too_long|最多512个字|expected at most 512 characters",
    }

    def __init__(self, **kwargs: Any):
        super().__init__(metadata={"maxLength": MOST_SCANNED, "x-scanned": True}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("text")
        if len(value) > MOST_SCANNED:
            raise self.make_error("long")
        return value


class Verbatim(fields.Field[str]):
    """Text exactly as it came, whatever it holds: it was signed, and is kept."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "text": "text|应为文字|expected text",
        "long": "too_long|最多{most}个字|expected at most {most} characters",
    }

    def __init__(self, *, most: int, **kwargs: Any):
        super().__init__(metadata={"maxLength": most}, **kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("text")
        if len(value) > self.most:
            raise self.make_error("long", most=self.most)
        return value


class Number(fields.Integer):
    """A whole number of the JSON kind (no text, no fraction), within ``least`` and ``most``."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "invalid": "integer|应为整数|expected a whole number",
        "too_large": "range|数字过大|the number is too large",
        "range": "range|应在{least}与{most}之间|expected a number between {least} and {most}",
    }

    def __init__(self, *, least: int = 0, most: int = MAX_INT, **kwargs: Any):
        super().__init__(strict=True, metadata={"minimum": least, "maximum": most}, **kwargs)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid")
        if not self.least <= value <= self.most:
            raise self.make_error("range", least=self.least, most=self.most)
        return value


class QueryNumber(Number):
    """The same in a query string, where numbers come as ASCII digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,10}", value):
            raise self.make_error("invalid")
        return super()._deserialize(int(value), attr, data, **kwargs)


class Flag(fields.Field[bool]):
    """true or false, nothing that merely looks like it."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "flag": "flag|应为 true 或 false|expected true or false",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("flag")
        return value


class Id(fields.Field[UUID]):
    """One of our ids (UUID)."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "id": "id|应为编号(UUID)|expected an id (UUID)",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F-]{32,36}", value):
            raise self.make_error("id")
        try:
            return UUID(value)
        except ValueError:
            raise self.make_error("id") from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class Day(fields.Field[date]):
    """``YYYY-MM-DD``, between 1950 and 2199."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "day": "day|应为日期 YYYY-MM-DD|expected a day as YYYY-MM-DD",
        "range": "range|日期应在1950至2199年之间|expected a day between 1950 and 2199",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise self.make_error("day")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise self.make_error("day") from None
        if not EARLIEST_DAY <= day <= LATEST_DAY:
            raise self.make_error("range")
        return day

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat()


class Month(Day):
    """``YYYY-MM``, held as the month's first day."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "day": "month|应为月份 YYYY-MM|expected a month as YYYY-MM",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}", value):
            raise self.make_error("day")
        return super()._deserialize(f"{value}-01", attr, data, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:%Y-%m}"


_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


class Instant(fields.Field[datetime]):
    """RFC 3339 with an offset. A naive time is refused: nobody can say which instant it means."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "instant": "instant|应为带时区的时间(RFC 3339)|expected RFC 3339 with an offset",
        "naive": "naive_time|时间缺少时区|expected an offset: a naive time names no instant",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise self.make_error("instant")
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise self.make_error("instant") from None
        if instant.tzinfo is None:
            raise self.make_error("naive")
        if not EARLIEST_DAY.year <= instant.year <= LATEST_DAY.year:
            raise self.make_error("instant")
        return instant

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else clock.stamp(value)


class Word(fields.Field[Any]):
    """One of an enumeration's words."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "word": "word|应为以下之一：{words}|expected one of: {words}",
    }

    def __init__(self, words: Any, **kwargs: Any):
        listed: list[str | None] = [word.value for word in words]
        if kwargs.get("allow_none") or kwargs.get("load_default", ma.missing) is None:
            listed.append(None)
        super().__init__(metadata={"enum": listed}, **kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.words(value) if isinstance(value, str) else self._fault()
        except ValueError:
            return self._fault()

    def _fault(self) -> Any:
        raise self.make_error("word", words=", ".join(word.value for word in self.words))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(getattr(value, "value", value))


class Rows(fields.List[Any]):
    """A list of at least ``least`` and at most ``most`` items."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "invalid": "list|应为列表|expected a list",
    }

    def __init__(self, inner: Any, *, least: int = 0, most: int = 200, **kwargs: Any):
        length = validate.Length(
            min=least,
            max=most,
            error=f"length|应有{least}至{most}项|expected between {least} and {most} items",
        )
        super().__init__(inner, validate=length, **kwargs)


class Part(fields.Nested):
    """An object inside an object."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "type": "object|应为一个对象|expected an object",
    }


class Degrees(fields.Field[float]):
    """A JSON number of degrees, at most ``most`` either way."""

    default_error_messages = {  # noqa: RUF012 (as above)
        "required": REQUIRED,
        "null": NULL,
        "number": "number|应为数字|expected a number",
        "range": "range|应在-{most}与{most}之间|expected between -{most} and {most}",
    }

    def __init__(self, *, most: int, **kwargs: Any):
        super().__init__(metadata={"minimum": -most, "maximum": most}, **kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("number")
        if not -self.most <= value <= self.most:
            raise self.make_error("range", most=self.most)
        return float(value)


class PointForm(Form):
    """``{lon, lat, datum}``: the datum is named, never guessed (a wrong one is half a kilometre off)."""

    lon = Degrees(required=True, most=180)
    lat = Degrees(required=True, most=90)
    datum = Text(
        required=True,
        pattern="wgs84|cgcs2000|gcj02|bd09",
        expected=("wgs84、cgcs2000、gcj02 或 bd09", "wgs84, cgcs2000, gcj02 or bd09"),
    )


class PageQuery(Form):
    """``limit`` and ``cursor`` of every list."""

    limit = QueryNumber(least=1, most=200, load_default=50)
    cursor = Text(most=400)


def page_view(item: type[View]) -> type[View]:
    """The shape of a list of ``item``."""
    return type(
        f"{item.__name__}Page",
        (View,),
        {
            "__module__": item.__module__,
            "items": fields.List(fields.Nested(item)),
            "next_cursor": fields.String(allow_none=True),
        },
    )
