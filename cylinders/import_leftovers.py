"""What imports left lying: files nobody will read any more, and lines staged by a job that ended badly.

A file is asked for, read and thrown away by three different hands, and each may be killed between two steps.
Looked at with all that is over its term (``web/retention.py``).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.db import table_of
from core.ground import Ground
from core.jobs import Job, JobState
from cylinders.import_models import RegisterFile, StagedBottle
from cylinders.imports import folder_of

KEPT_UNASKED = timedelta(days=1)
"""A file nobody asked to import, since its id was given: its upload may still be under way."""

KEPT_UNFINISHED = timedelta(days=2)
"""Lines staged at the console, where no job says whether anybody still works on them."""

_file, _staged, _job = table_of(RegisterFile), table_of(StagedBottle), table_of(Job)
_ended = _job.c.state.not_in([JobState.ASKED, JobState.RUNNING])


def forget_files(ground: Ground) -> int:
    """Files whose import has ended, or was never asked for. Returns how many went; others are left alone."""
    gone, before = 0, clock.now() - KEPT_UNASKED
    lying = {path: file_id for path in _lying(folder_of(ground)) if (file_id := _id_of(path)) is not None}
    with ground.reads() as db:
        rows = db.execute(
            sa.select(_file.c.id, _ended)
            .outerjoin(_job, sa.and_(_job.c.district == _file.c.district, _job.c.id == _file.c.job_id))
            .where(_file.c.id.in_(lying.values()))
        ).all()
    is_ended = {row[0]: row[1] for row in rows}
    for path, file_id in lying.items():
        if is_ended.get(file_id, came_at(file_id) < before):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _lying(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _id_of(path: Path) -> UUID | None:
    """None of what was not put there by us."""
    try:
        return UUID(path.name)
    except ValueError:
        return None


def came_at(file_id: UUID) -> datetime:
    """A UUIDv7 begins with its millisecond."""
    return datetime.fromtimestamp((file_id.int >> 80) / 1000, UTC)


def forget_staged(ground: Ground) -> int:
    """Staged lines whose import has ended without publishing them. Returns of how many imports they were."""
    before = clock.now() - KEPT_UNFINISHED
    with ground.sessions() as db:
        over = db.execute(
            sa.select(_file.c.district, _file.c.id)
            .outerjoin(_job, sa.and_(_job.c.district == _file.c.district, _job.c.id == _file.c.job_id))
            .where(
                sa.exists().where(_staged.c.district == _file.c.district, _staged.c.file_id == _file.c.id),
                sa.or_(_ended, sa.and_(_file.c.job_id.is_(None), _file.c.recorded_at < before)),
            )
        ).all()
        for district, file_id in over:
            db.execute(sa.delete(_staged).where(_staged.c.district == district, _staged.c.file_id == file_id))
        db.commit()
    return len(over)
