"""``/metrics``: counts of this house in Prometheus' text form, for whoever LPG_METRICS lets read them.

The counts hold no personal data, but they say how much gas a district orders and when: so they are for the
machine itself unless the operator opens them. A proxy on the same machine comes from loopback too; whatever
it passes on for others (it says so in a header) is not answered.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from core import metrics, outbox
from core.http import ground
from core.problems import NotFound

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

room = Blueprint("metrics", __name__)

PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


@room.get("/metrics")
def read_metrics() -> Response:
    """Counts of requests, deeds, refusals and the outbox, for this machine (see LPG_METRICS)."""
    if not _may_read(ground().config.metrics):
        raise NotFound
    return Response(metrics.exposed(_Standing()), content_type=metrics.CONTENT_TYPE)


def _may_read(who: str) -> bool:
    return who == "open" or (who == "loopback" and _is_this_machine())


def _is_this_machine() -> bool:
    if any(name in request.headers for name in PASSED_ON):
        return False
    try:
        asker = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    mapped = asker.ipv4_mapped if isinstance(asker, IPv6Address) else None
    return (mapped or asker).is_loopback


class _Standing:
    """What is read from the database when somebody asks; nothing where it does not answer."""

    def collect(self) -> Iterator["GaugeMetricFamily"]:
        from prometheus_client.core import GaugeMetricFamily

        answers = GaugeMetricFamily("lpg_database_answers", "1 when the database answered this question.")
        try:
            with ground().reads() as db:
                standing = outbox.standing(db)
        except SQLAlchemyError:
            answers.add_metric([], 0)
            yield answers
            return
        answers.add_metric([], 1)
        yield answers
        deliveries = GaugeMetricFamily(
            "lpg_outbox_deliveries",
            "Deliveries not done: due, being handed out, or given up on.",
            labels=["state"],
        )
        deliveries.add_metric(["due"], standing.due)
        deliveries.add_metric(["sending"], standing.sending)
        deliveries.add_metric(["dead"], standing.dead)
        yield deliveries
        yield GaugeMetricFamily(
            "lpg_outbox_oldest_due_seconds", "How late the oldest due delivery is.", value=standing.late_s
        )
