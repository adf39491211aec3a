"""What earlier days left undelivered, why, and giving it another slot; and what became of a day altogether.

/dispatch/left-over?day=     the list as of now, and the balance of the day
"""

from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.rounds import left_over
from web.dispatcher import asked_day, face, of_earlier_days, shown


@face.page("/left-over", "board.read")
def left_over_orders() -> ResponseReturnValue:
    balance = left_over.day_balance(doing(), asked_day())
    return shown("left_over", balance=balance, **of_earlier_days())
