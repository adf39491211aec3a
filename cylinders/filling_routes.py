"""The act of filling over HTTP, as a terminal or a scale's controller asks for it; scales, gas and stops."""

# mypy: disallow-untyped-decorators=False

from dataclasses import replace
from typing import Any
from uuid import UUID

from core.http import Room, doing, loaded
from core.problems import Busy, WrongField
from core.refusal import Refused
from cylinders import filling_means, filling_queries, fillings
from cylinders import filling_schemas as schemas

room = Room("fillings", __name__)

AUTHORISATION = "/filling-authorisations/<uuid:authorisation_id>"
SITE = "/sites/<uuid:site_id>"

# --- the act ----------------------------------------------------------------------------------------------


@room.post("/filling-authorisations")
@room.may("cylinder.authorise_fill", writes=True)
@room.arguments(schemas.AuthorisationIn)
@room.response(201, schemas.AuthorisationOut)
def authorise(body: dict[str, Any]) -> Any:
    """Leave to fill one bottle, for minutes and once. The valve opens only after checks have passed."""
    done = fillings.authorise(doing(), **body)
    return filling_queries.authorisation(doing(), UUID(done["authorisation_id"]), with_token=True)


@room.get(AUTHORISATION)
@room.may("filling.read")
@room.response(200, schemas.AuthorisationOut)
def read_authorisation(authorisation_id: UUID) -> Any:
    return filling_queries.authorisation(doing(), authorisation_id)


@room.post(f"{AUTHORISATION}/checks")
@room.may("cylinder.fill", writes=True)
@room.arguments(schemas.LookIn)
@room.response(201, schemas.AuthorisationOut)
def check(body: dict[str, Any], authorisation_id: UUID) -> Any:
    """Before the gas. It may flow where the state is then ``filling``. What was found is kept."""
    fillings.check(doing(), authorisation_id=authorisation_id, **body)
    return filling_queries.authorisation(doing(), authorisation_id)


@room.post(f"{AUTHORISATION}/weighings")
@room.may("cylinder.fill", writes=True)
@room.arguments(schemas.WeighingIn)
@room.response(201, schemas.AuthorisationOut)
def weigh(body: dict[str, Any], authorisation_id: UUID) -> Any:
    """The full bottle. ``over``: it is held until it was bled and weighed again."""
    fillings.weigh(doing(), authorisation_id=authorisation_id, **body)
    return filling_queries.authorisation(doing(), authorisation_id)


@room.post(f"{AUTHORISATION}/completions")
@room.may("cylinder.fill", writes=True)
@room.arguments(schemas.CompletionIn)
@room.response(201, schemas.AuthorisationOut)
def complete(body: dict[str, Any], authorisation_id: UUID) -> Any:
    fillings.complete(doing(), authorisation_id=authorisation_id, **body)
    return filling_queries.authorisation(doing(), authorisation_id)


@room.post(f"{AUTHORISATION}/abortions")
@room.may("cylinder.fill", writes=True)
@room.arguments(schemas.AbortIn)
@room.response(201, schemas.AuthorisationOut)
def abort(body: dict[str, Any], authorisation_id: UUID) -> Any:
    fillings.abort(doing(), authorisation_id=authorisation_id, **body)
    return filling_queries.authorisation(doing(), authorisation_id)


@room.post("/fillings")
@room.may("cylinder.fill", writes=True)
@room.arguments(schemas.FillingWithBatchIn)
@room.response(201, schemas.FillingDoneOut)
def fill(body: dict[str, Any]) -> Any:
    """The whole act in one request. What was found wrong is recorded, and answered with its outcome: 201."""
    return _outcome(fillings.fill(doing(), **body))


@room.post("/filling-batches")
@room.may("cylinder.fill", writes=True)
@room.arguments(schemas.FillingsIn)
@room.response(201, schemas.FillingsOut)
def fill_many(body: dict[str, Any]) -> Any:
    """Up to 60 bottles, each a deed of its own and answered in order; one that is refused stops no other."""
    items = [_one_of_many(number, row) for number, row in enumerate(body["fillings"])]
    filled = sum(item["ok"] for item in items)
    return {"filled": filled, "not_filled": len(items) - filled, "items": items}


def _one_of_many(number: int, row: Any) -> dict[str, Any]:
    here = doing()
    item: dict[str, Any] = {"index": number, "ok": False, "filling": None, "reasons": [], "errors": []}
    try:
        form = loaded(schemas.FillingWithBatchIn, row)
        done = fillings.fill(replace(here, key=here.key and f"{here.key}\n{number}"), **form)
    except WrongField as wrong:
        faults = [{"pointer": f"/fillings/{number}{one.pointer}", "code": one.code} for one in wrong.faults]
        return item | {"errors": faults}
    except Refused as refused:
        reasons = [one.worded(here.actor.audience) for one in refused.refusals]
        return item | {"reasons": reasons, "refusal_no": refused.number}
    except Busy:
        return item | {"errors": [{"pointer": f"/fillings/{number}", "code": "busy"}]}
    answer = _outcome(done)
    return item | {"ok": answer["outcome"] == "filled", "filling": answer, "reasons": answer["reasons"]}


def _outcome(done: dict[str, Any]) -> dict[str, Any]:
    """As it stands now: also when the request is a repeat."""
    leave = filling_queries.authorisation(doing(), UUID(done["authorisation_id"]), with_token=True)
    filling = leave.filling
    answer = {name: getattr(filling, name, None) for name in schemas.FillingDoneOut().fields}
    return answer | {
        "outcome": leave.outcome,
        "cylinder_id": leave.cylinder_id,
        "authorisation_id": leave.id,
        "token": leave.token if leave.outcome == "overfilled" else None,
        "reasons": leave.reasons,
        "flags": filling.flags if filling else [],
    }


@room.post(f"{SITE}/residues")
@room.may("cylinder.measure_residue", writes=True)
@room.arguments(schemas.ResidueIn)
@room.response(201, schemas.ResidueOut)
def measure_residue(body: dict[str, Any], site_id: UUID) -> Any:
    """What was found in an empty, and what was drawn off."""
    return fillings.measure_residue(doing(), site_id=site_id, **body)


# --- what a station fills with ----------------------------------------------------------------------------


@room.get(f"{SITE}/filling-means")
@room.may("filling.read")
@room.response(200, schemas.MeansOut)
def read_means(site_id: UUID) -> Any:
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/scales")
@room.may("scale.register", writes=True)
@room.arguments(schemas.ScaleIn)
@room.response(201, schemas.MeansOut)
def register_scale(body: dict[str, Any], site_id: UUID) -> Any:
    filling_means.register_scale(doing(), site_id=site_id, **body)
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/scales/<uuid:scale_id>/verifications")
@room.may("scale.register", writes=True)
@room.arguments(schemas.VerificationIn)
@room.response(201, schemas.MeansOut)
def verify_scale(body: dict[str, Any], site_id: UUID, scale_id: UUID) -> Any:
    filling_means.verify_scale(doing(), site_id=site_id, scale_id=scale_id, **body)
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/gas-batches")
@room.may("gas_batch.register", writes=True)
@room.arguments(schemas.BatchIn)
@room.response(201, schemas.MeansOut)
def register_batch(body: dict[str, Any], site_id: UUID) -> Any:
    filling_means.register_batch(doing(), site_id=site_id, **body)
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/gas-batches/<uuid:batch_id>/tests")
@room.may("gas_batch.register", writes=True)
@room.arguments(schemas.TestIn)
@room.response(201, schemas.MeansOut)
def enter_test(body: dict[str, Any], site_id: UUID, batch_id: UUID) -> Any:
    filling_means.enter_test(doing(), site_id=site_id, batch_id=batch_id, **body)
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/gas-batches/<uuid:batch_id>/uses")
@room.may("gas_batch.use", writes=True)
@room.arguments(schemas.UseIn)
@room.response(201, schemas.MeansOut)
def use_batch(body: dict[str, Any], site_id: UUID, batch_id: UUID) -> Any:
    """From now on the station fills from this batch."""
    filling_means.use_batch(doing(), site_id=site_id, batch_id=batch_id, **body)
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/filling-stops")
@room.may("filling.stop", writes=True)
@room.arguments(schemas.StopIn)
@room.response(201, schemas.MeansOut)
def stop(body: dict[str, Any], site_id: UUID) -> Any:
    """停充: from this instant nothing is filled here, or over this scale."""
    filling_means.stop(doing(), site_id=site_id, **body)
    return filling_queries.filling_means(doing(), site_id)


@room.post(f"{SITE}/filling-stops/<uuid:stop_id>/releases")
@room.may("filling.release", writes=True)
@room.arguments(schemas.StopReleaseIn)
@room.response(201, schemas.MeansOut)
def release(body: dict[str, Any], site_id: UUID, stop_id: UUID) -> Any:
    filling_means.release(doing(), site_id=site_id, stop_id=stop_id, **body)
    return filling_queries.filling_means(doing(), site_id)
