"""Shapes of a register that comes or goes as a file."""

from marshmallow import fields

from core.fields import Form, Id, Instant, Text, View, Word
from core.jobs import Fault, JobState
from cylinders.import_models import FileEncoding, FileForm, RegisterRows
from registry.fields import PlainCode


class FileQuery(Form):
    """Beside the file: whose register it is, what it rests on, how it is written, what a bad line does."""

    firm_id = Id(required=True)
    document = PlainCode(required=True)
    reference = PlainCode(required=True)
    on_error = Text(
        required=True, pattern="proceed|rollback", expected=("proceed 或 rollback", "proceed or rollback")
    )
    form = Word(FileForm, required=True)
    encoding = Word(FileEncoding, load_default=FileEncoding.UTF_8)


class Nothing(Form):
    """An act that needs no words: an empty object."""


class FileImportOut(View):
    """``lines``: line ends in the file; ``read_lines``: how far it is read. ``root`` commits to its lines."""

    id = Id()
    firm_id = Id()
    state = Word(JobState)
    step = fields.String()
    form = Word(FileForm)
    encoding = Word(FileEncoding)
    on_error = fields.String()
    sha256 = fields.String()
    size_bytes = fields.Integer()
    lines = fields.Integer()
    read_lines = fields.Integer()
    accepted = fields.Integer()
    refused = fields.Integer()
    root = fields.String()
    reasons = fields.List(fields.Dict())
    refusal_no = fields.String()
    fault = Word(Fault)
    recorded_at = Instant()
    published_at = Instant()


class FormQuery(Form):
    form = Word(FileForm, load_default=FileForm.JSONL)


class RegisterQuery(FormQuery):
    """``rows``: bottles in use, as they could be imported; or all, each with its ``standing``."""

    firm_id = Id(required=True)
    rows = Word(RegisterRows, load_default=RegisterRows.IN_USE)


class LimitsOut(View):
    most_bytes = fields.Integer()
    most_lines = fields.Integer()
    most_line_bytes = fields.Integer()
    most_rows_of_a_request = fields.Integer()
    forms = fields.List(fields.String())
    encodings = fields.List(fields.String())
    columns = fields.List(fields.String())
