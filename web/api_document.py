"""The API's own document as people read it: rooms, their routes, and each form as lines of fields."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.auth import Role
from web.addresses import roles_with
from web.verbs import SAID

Schema = Mapping[str, Any]

ROOMS = {
    "registry": "登记",
    "cylinders": "气瓶",
    "fillings": "充装",
    "safety": "安检与隐患",
    "orders": "预约",
    "rosters": "排班",
    "positions": "行车位置",
    "rounds": "配送趟次",
    "left_over": "没送到的单",
    "zone_prices": "固定片区的代价",
    "deliveries": "上门配送",
    "oversight": "监管",
    "reviews": "复核",
    "refusal_notices": "不予供气告知书",
}
ROLES = {
    Role.RESIDENT: "居民",
    Role.COURIER: "送气工",
    Role.FILLER: "充装工",
    Role.CLERK: "柜台",
    Role.DISPATCHER: "调度",
    Role.REGULATOR: "监管",
    Role.AGENCY: "检验机构",
    Role.ADMINISTRATOR: "管理员",
}
METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 5
EXAMPLES = {
    "uuid": "019012ab-0000-7000-8000-000000000000",
    "date": "2024-06-12",
    "date-time": "2024-06-12T10:20:00.000+08:00",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a form or an answer: ``items[].code``, what it is, whether it must be there."""

    path: str
    kind: str
    is_required: bool
    limits: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    says: str
    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Route:
    anchor: str
    method: str
    path: str
    verb: str
    zh: str
    en: str
    roles: tuple[str, ...]
    parameters: tuple[Line, ...]
    body: tuple[Line, ...]
    answers: tuple[Answer, ...]
    example: str

    @property
    def successes(self) -> tuple[Answer, ...]:
        return tuple(one for one in self.answers if one.status.startswith("2"))

    @property
    def problems(self) -> tuple[Answer, ...]:
        return tuple(one for one in self.answers if one.status.startswith(("4", "5")))


@dataclass(frozen=True, slots=True)
class Room:
    name: str
    zh: str
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Document:
    plain: Mapping[str, Any]

    @cached_property
    def rooms(self) -> tuple[Room, ...]:
        routes: dict[str, list[Route]] = {}
        for path, item in self.plain["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    room = operation.get("tags", ["other"])[0]
                    routes.setdefault(room, []).append(self._route(method, path, item, operation))
        return tuple(Room(name, ROOMS.get(name, name), tuple(found)) for name, found in routes.items())

    @cached_property
    def problem(self) -> tuple[Line, ...]:
        return tuple(self._lines(self.plain["components"]["schemas"]["Problem"]))

    def _route(self, method: str, path: str, item: Schema, operation: Schema) -> Route:
        verb = operation.get("x-verb", "")
        zh, en = SAID.get(verb, (verb, verb))
        given = [
            self._resolved(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
        ]
        form = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        return Route(
            anchor=f"{method}-{path.removeprefix('/api/v1/')}".translate({ord(c): "-" for c in "/{}"}),
            method=method.upper(),
            path=path,
            verb=verb,
            zh=zh,
            en=operation.get("summary") or en,
            roles=tuple(f"{ROLES[role]} {role.value}" for role in roles_with(verb)),
            parameters=tuple(self._parameter(one) for one in given),
            body=tuple(self._lines(form)) if form else (),
            answers=tuple(self._answer(status, one) for status, one in _in_order(operation["responses"])),
            example=self._example(method, path, given, form),
        )

    def _parameter(self, given: Schema) -> Line:
        kind, limits = self._kind(given["schema"])
        return Line(f"{given['in']}: {given['name']}", kind, bool(given.get("required")), limits)

    def _answer(self, status: str, given: Schema) -> Answer:
        described = self._resolved(given)
        content = described.get("content", {})
        [(kind, held)] = content.items() if len(content) == 1 else [("", {})]
        schema = held.get("schema")
        lines = tuple(self._lines(schema)) if schema and status.startswith("2") else ()
        return Answer(status, described.get("description", ""), kind, lines)

    def _example(self, method: str, path: str, given: list[Schema], form: Schema | None) -> str:
        """What a caller types: curl, with every mandatory header and every field of the form."""
        filled = path
        for one in given:
            if one["in"] == "path":
                value = 310105 if one["name"] == "district" else self._sample(one["schema"])
                filled = filled.replace("{" + one["name"] + "}", str(value))
        words = [f"curl -X {method.upper()} https://…{filled}", "-H 'Authorization: Bearer lpg_…'"]
        if any(one["name"] == "Idempotency-Key" for one in given):
            words.append("-H 'Idempotency-Key: 7d1f0c52-…'")
        if form is not None:
            body = json.dumps(self._sample(form), ensure_ascii=False, indent=2)
            words += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
        return " \\\n  ".join(words)

    def _lines(self, schema: Schema, path: str = "", depth: int = 0) -> Iterator[Line]:
        schema = self._resolved(schema)
        if _word(schema) == "array":
            yield from self._lines(schema["items"], f"{path}[]", depth)
            return
        for name, given in schema.get("properties", {}).items():
            below = f"{path}.{name}" if path else name
            kind, limits = self._kind(given)
            yield Line(below, kind, name in schema.get("required", ()), limits)
            inner, deeper = self._resolved(given), depth + 1
            if deeper < DEEPEST and ("properties" in inner or _word(inner) == "array"):
                yield from self._lines(inner, below, deeper)

    def _kind(self, schema: Schema) -> tuple[str, str]:
        """``integer``, ``object[]``, ``date`` …; and what else holds of it."""
        found = self._resolved(schema)
        if _word(found) == "array":
            inner, limits = self._kind(found["items"])
            return f"{inner}[]", " · ".join(filter(None, (*_limits(found), limits)))
        kind = found.get("format") or _word(found)
        may_be_null = " · null" if _takes_null(schema) or _takes_null(found) else ""
        return f"{kind}{may_be_null}", " · ".join(_limits(found))

    def _sample(self, schema: Schema) -> Any:
        found = self._resolved(schema)
        kind = _word(found)
        if "enum" in found:
            return found["enum"][0]
        if kind == "array":
            return [self._sample(found["items"])]
        if kind == "object":
            return {name: self._sample(given) for name, given in found.get("properties", {}).items()}
        if kind in ("integer", "number"):
            return found.get("minimum", 0)
        return False if kind == "boolean" else EXAMPLES.get(found.get("format", ""), "…")

    def _resolved(self, schema: Schema) -> Schema:
        """The schema itself: behind its reference, and without the null beside it."""
        while True:
            if "$ref" in schema:
                _, _, kind, name = schema["$ref"].split("/")[-4:]
                schema = self.plain["components"][kind][name]
            elif len(schema.get("allOf", ())) == 1:
                schema = schema["allOf"][0]
            elif "anyOf" in schema:
                schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
            else:
                return schema


def _in_order(responses: Schema) -> list[tuple[str, Schema]]:
    return sorted((str(status), one) for status, one in responses.items())


def _word(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "any")
    return next(one for one in kind if one != "null") if isinstance(kind, list) else str(kind)


def _takes_null(schema: Schema) -> bool:
    kind = schema.get("type")
    return (isinstance(kind, list) and "null" in kind) or any(
        one.get("type") == "null" for one in schema.get("anyOf", ())
    )


def _limits(schema: Schema) -> Iterator[str]:
    if "enum" in schema:
        yield " | ".join(str(one) for one in schema["enum"] if one is not None)
    if "minimum" in schema or "maximum" in schema:
        yield f"{schema.get('minimum', '')}…{schema.get('maximum', '')}"
    if "minItems" in schema or "maxItems" in schema:
        yield f"{schema.get('minItems', 0)}…{schema.get('maxItems', '')} items"
    if "maxLength" in schema:
        yield f"≤ {schema['maxLength']}"
    if "pattern" in schema:
        yield str(schema["pattern"])
    if schema.get("default") is not None:
        yield f"default {schema['default']}"
