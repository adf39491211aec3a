"""How a request is answered whose work the worker does: 202, the job as it stands, and where it is read."""

from typing import Any
from uuid import UUID

from flask import url_for

Asked = tuple[dict[str, Any], int, dict[str, str]]

AT_THE_JOB = {
    "Location": {
        "description": "Where the job is looked at",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    }
}


def asked(job: dict[str, Any], read_at: str, district: int) -> Asked:
    """``read_at``: the route by which a job of this kind is read."""
    job_id: UUID = job["id"]
    return job, 202, {"Location": url_for(read_at, district=district, job_id=job_id)}
