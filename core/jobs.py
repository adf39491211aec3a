"""Work that is asked now and done in a moment, by the worker process: ``./lpg run`` keeps one running.

    ask(deed.db, …)     in a deed: a ``job`` row of ours, and beside it, in the same transaction, what
                        procrastinate needs to run it (its own schema, its own tables)
    take_on(…)          who does jobs of a kind; filled once by app.py
    work(ground)        the worker's loop

The row is the record: who asked for what, where it stands, what came of it. A job may run twice, since a
killed worker's jobs are taken up again; what it makes is therefore stored together with the move to
``done``, in one transaction, and a job that has ended is not run. Procrastinate only runs what is due
now: times of business stand in tables of our own.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import procrastinate
import sqlalchemy as sa
import structlog
from procrastinate import jobs as queued
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock, demo_clock, outbox
from core.auth import Actor, actor_of
from core.db import SESSION_SETTINGS, Base, District, Group, Json, NewId, grouped
from core.doing import Doing
from core.ground import Ground
from core.machine import Machine, Move
from core.problems import Busy, NotFound
from core.refusal import Refused

log = structlog.get_logger()

AT_ONCE = 2
HEARTBEAT_S = 1.0
STALLED_AFTER_S = 5.0
MOST_RUNS = 3
"""A job whose worker has died under it this often is given up: it may be what kills them."""


class JobState(StrEnum):
    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


JOB = Machine(
    "job",
    "job",
    JobState.ASKED,
    [
        Move("run", JobState.ASKED, JobState.RUNNING),
        Move("finish", JobState.RUNNING, JobState.DONE),
        Move("refuse", JobState.RUNNING, JobState.REFUSED),
        Move("fail", JobState.RUNNING, JobState.FAILED),
        Move("fail", JobState.ASKED, JobState.FAILED),
        Move("cancel", JobState.ASKED, JobState.CANCELLED),
        Move("cancel", JobState.RUNNING, JobState.CANCELLED),
    ],
)


class Fault(StrEnum):
    """Why a job failed: nothing a law or a state says no to, but something of ours."""

    BUSY = "busy"
    GRANT_ENDED = "grant_ended"
    OUR_BUG = "our_bug"
    WORKER_DIED = "worker_died"


class Job(Base):
    """``asked``: what the kind needs to do it. ``step``: the word for what is being done just now."""

    __tablename__ = "job"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_job_recorded_at", "district", "kind", "recorded_at", "id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    kind: Mapped[str]
    firm_id: Mapped[UUID | None]
    asked: Mapped[Json]
    asked_by: Mapped[UUID]
    grant_id: Mapped[UUID | None]
    state: Mapped[JobState]
    step: Mapped[str | None]
    result_id: Mapped[UUID | None]
    reasons: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    refusal_no: Mapped[str | None]
    fault: Mapped[Fault | None]
    recorded_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


Runner = Callable[["Running"], None]

RUNNERS: dict[str, Runner] = {}
"""kind → who does it; filled once by app.py."""


def take_on(kind: str, runner: Runner) -> None:
    RUNNERS[kind] = runner


# --- asking, within an open deed ---------------------------------------------------------------------------


def ask(
    db: Session, doing: Doing, kind: str, asked: dict[str, Any], *, firm_id: UUID | None, lock: str
) -> Job:
    """Write the job down and have it run. Jobs with the same ``lock`` run one at a time, as they came."""
    job = Job(
        district=doing.district,
        kind=kind,
        firm_id=firm_id,
        asked=asked,
        asked_by=doing.actor.principal_id,
        grant_id=doing.actor.grant_id,
        state=JobState.ASKED,
        recorded_at=clock.now(),
    )
    db.add(job)
    db.flush()
    deferrer = _queue().configure_task(
        _TASK, lock=lock, connection=db.connection().connection.driver_connection
    )
    deferrer.defer(district=job.district, job_id=str(job.id))
    return job


def cancel(db: Session, district: int, job_id: UUID) -> Job:
    """Nobody wants it any more: it is not begun, or what it is making is thrown away."""
    job = locked(db, district, job_id)
    JOB.move(db, job, "cancel")
    job.ended_at = clock.now()
    return job


MOST_LISTED = 20


def latest(db: Session, district: int, kind: str, firm_id: UUID | None, day: str | None = None) -> list[Job]:
    """The last that were asked for: of a firm where one is given, for a day where one is."""
    query = sa.select(Job).where(Job.district == district, Job.kind == kind)
    if firm_id is not None:
        query = query.where(Job.firm_id == firm_id)
    if day is not None:
        query = query.where(Job.asked["day"].astext == day)
    return list(db.scalars(query.order_by(Job.recorded_at.desc(), Job.id.desc()).limit(MOST_LISTED)))


def locked(db: Session, district: int, job_id: UUID) -> Job:
    job = db.get(Job, (district, job_id), with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFound
    return job


def finish(db: Session, district: int, job_id: UUID, result_id: UUID) -> None:
    """In the transaction that stores what the job made. ``Unwanted`` when it was cancelled meanwhile."""
    job = locked(db, district, job_id)
    if job.state is not JobState.RUNNING:
        raise Unwanted
    JOB.move(db, job, "finish")
    job.result_id, job.ended_at, job.step = result_id, clock.now(), None


# --- doing -------------------------------------------------------------------------------------------------


class Unwanted(Exception):
    """The job ended while it was being done: cancelled, or done by another worker. Nothing is stored."""


@dataclass(frozen=True, slots=True)
class Running:
    """A job in a worker's hands."""

    ground: Ground
    district: int
    id: UUID
    asked: dict[str, Any]
    actor: Actor

    def doing(self) -> Doing:
        """Whoever asked is who does it, under a key of the job's own: what runs twice does once."""
        key = f"job-{self.id}"
        return Doing(self.ground, self.actor, self.district, key, key, self.id.bytes)

    def say(self, step: str) -> None:
        """What is being done now; for whoever waits and looks."""
        with self.ground.sessions() as db:
            db.execute(_now_running(self.district, self.id).values(step=step))
            db.commit()

    def is_wanted(self) -> bool:
        with self.ground.reads() as db:
            return db.scalar(_STATE, {"district": self.district, "id": self.id}) is JobState.RUNNING


_STATE = sa.select(Job.state).where(
    Job.district == sa.bindparam("district"), Job.id == sa.bindparam("id", type_=sa.Uuid())
)


def _now_running(district: int, job_id: UUID) -> sa.Update:
    return sa.update(Job).where(Job.district == district, Job.id == job_id, Job.state == JobState.RUNNING)


def run(ground: Ground, district: int, job_id: UUID) -> None:
    """Do one job, whatever becomes of it. Raises only when that cannot be written down: it runs again."""
    job = _begin(ground, district, job_id)
    if job is None:
        return
    try:
        RUNNERS[job[0]](job[1])
    except Unwanted:
        log.info("job.unwanted", job=str(job_id))
    except Refused as refused:
        reasons = [refusal.to_plain() for refusal in refused.refusals]
        _end(ground, district, job_id, "refuse", reasons=reasons, refusal_no=refused.number)
    except Busy:
        _end(ground, district, job_id, "fail", fault=Fault.BUSY)
    except Exception:
        log.exception("job.failed", job=str(job_id), kind=job[0])
        _end(ground, district, job_id, "fail", fault=Fault.OUR_BUG)


def _begin(ground: Ground, district: int, job_id: UUID) -> tuple[str, Running] | None:
    """The job to do; None when it has ended already, or whoever asked may no longer."""
    with ground.sessions() as db:
        job = locked(db, district, job_id)
        if job.state is JobState.ASKED:
            JOB.move(db, job, "run")
            job.started_at = clock.now()
        if job.state is not JobState.RUNNING:
            return None
        actor = _who_asked(db, job)
        if actor is None:
            _settle(db, job, "fail", fault=Fault.GRANT_ENDED)
        db.commit()
    return (job.kind, Running(ground, district, job_id, job.asked, actor)) if actor else None


def _who_asked(db: Session, job: Job) -> Actor | None:
    """The house holds no grant that could end."""
    if job.asked_by == outbox.HOUSE:
        return outbox.house_actor(job.district)
    return actor_of(db, job.asked_by, job.grant_id)


def _end(ground: Ground, district: int, job_id: UUID, move: str, **outcome: Any) -> None:
    """Write down how it ended; a job that was cancelled meanwhile stays cancelled."""
    with ground.sessions() as db:
        job = locked(db, district, job_id)
        if JOB.can(move, job.state):
            _settle(db, job, move, **outcome)
            db.commit()


def _settle(db: Session, job: Job, move: str, **outcome: Any) -> None:
    JOB.move(db, job, move)
    job.ended_at, job.step = clock.now(), None
    for name, value in outcome.items():
        setattr(job, name, value)


# --- the worker --------------------------------------------------------------------------------------------

_TASK = "job"


def _queue(connector: procrastinate.PsycopgConnector | None = None) -> procrastinate.App:
    """Procrastinate's side. To ask it needs no connection of its own: it is given the deed's."""
    return procrastinate.App(connector=connector or procrastinate.PsycopgConnector())


def work(ground: Ground, *, wait: bool = True) -> None:
    """Run jobs for ever; without ``wait`` until none is due. Stops when told (SIGTERM, SIGINT)."""
    asyncio.run(_work(ground, wait))


async def _work(ground: Ground, wait: bool) -> None:
    queue = _queue(_connector(ground))

    @queue.task(name=_TASK, retry=procrastinate.RetryStrategy(max_attempts=MOST_RUNS))
    def job(district: int, job_id: str) -> None:
        if ground.config.demo_clock:
            demo_clock.follow(ground.sessions)
        run(ground, district, UUID(job_id))

    async with queue.open_async():
        if not wait:
            await _take_up_stalled(queue, ground)
        watching = asyncio.create_task(_watch_stalled(queue, ground))
        try:
            await queue.run_worker_async(
                concurrency=AT_ONCE,
                wait=wait,
                delete_jobs="always",
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                install_signal_handlers=threading.current_thread() is threading.main_thread(),
            )
        finally:
            watching.cancel()


def _connector(ground: Ground) -> procrastinate.PsycopgConnector:
    """Connections like our own, but asynchronous: one for each job, and for listening, looking, beating."""
    engine = cast(sa.Engine, ground.sessions.kw["bind"])
    conninfo = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    kwargs = {"options": SESSION_SETTINGS, "application_name": "lpg jobs", "connect_timeout": 3}
    return procrastinate.PsycopgConnector(conninfo=conninfo, kwargs=kwargs, min_size=1, max_size=AT_ONCE + 3)


async def _watch_stalled(queue: procrastinate.App, ground: Ground) -> None:
    while True:
        await asyncio.sleep(STALLED_AFTER_S)
        try:
            await _take_up_stalled(queue, ground)
        except Exception:
            log.exception("job.stalled_not_looked_for")


async def _take_up_stalled(queue: procrastinate.App, ground: Ground) -> None:
    """Jobs whose worker has died run again; a few times."""
    manager = queue.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
        if job.attempts + 1 < MOST_RUNS:
            log.warning("job.taken_up_again", job=job.task_kwargs["job_id"], runs=job.attempts + 1)
            await manager.retry_job(job)
        else:
            district, job_id = cast(int, job.task_kwargs["district"]), UUID(str(job.task_kwargs["job_id"]))
            await asyncio.to_thread(_end, ground, district, job_id, "fail", fault=Fault.WORKER_DIED)
            await manager.finish_job(job, status=queued.Status.FAILED, delete_job=True)
