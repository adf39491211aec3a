"""The page behind a voucher's QR code, for anybody: is it genuine, and what was handed over.

Counted and stopped as the page behind a label is: a code that is nobody's counts as one tried. No sign-in, no
script, any letter case; never a household, an address, a courier or a telephone.
"""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from core.http import ground
from cylinders.paper_code import LENGTH
from dispatch.deliveries.vouchers import look
from oversight import probes

room = Blueprint("vouchers", __name__)


@room.get("/V/<code>", strict_slashes=False)
@room.get("/v/<code>", strict_slashes=False)
def voucher(code: str) -> ResponseReturnValue:
    asker = request.remote_addr or ""
    probes.admit(ground(), asker)
    seen = look(ground(), code[: LENGTH + 1])
    if seen is None:
        probes.count_unconfirmed(ground(), asker)
    answer = Response(render_template("public/voucher.html", voucher=seen), 200 if seen else 404)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
