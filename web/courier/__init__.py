"""The courier's face: today's rounds, the vehicle, the door. Made for a phone held in one hand.

    road      rounds of the day, setting out, loading, the list of stops, bringing back
    door      one stop: arriving, and the four steps (check who, check the home, swap, sign)
    equipment hose, regulator and alarm at the door, seen and entered
    identity  the registrant's document, looked at once more
    undone    nobody home, a refused check, a hazard: what else can come of a visit
    duty      where the vehicle is, told while a round is driven
    draft     what has been answered of a visit that is not yet a deed

Every page works without scripts; with them codes are read by the camera and signatures are drawn.
"""

from web.courier import door, duty, equipment, identity, road, undone
from web.courier.face import face

__all__ = ["door", "duty", "equipment", "face", "identity", "road", "undone"]
