"""The office's face: what a firm's clerk looks at and does at a desk.

    today       the day at a glance, stock per site with its cap, what was filled and refused
    filling     scales and gas: entered, verified, tested, put in use
    counting    盘点: a count by scanning, its differences, each explained
    bottles     a bottle's file by any of its codes, its trace, inspections
    registering one bottle's file made
    completing  补录: what a bottle's file lacks
    opening     开户: a person, a place, an account
    households  一户一档, masked; a card lost and replaced; a survey; a contract; closing
    letting     出租登记: who lets a home to its registrant, by which lease
    equipment   hoses, regulators, alarms: of a household, and what is due
    deposits    押金: line by line, in yuan
    privacy     what is masked, shown with a reason; what people ask about their data
    importing   台账导入: a register of bottles as a file, how far it is, what is wrong; the firm's own
    queues      what falls due, what is held and contested, and why
    recalling   召回: opened after a look, holders told, bottles settled
    leaving     送检, 上报, 注销: a bottle's way out of use
    reviews     refusals to be looked at again; how often what was refused, street by street
    noticing    书面告知: a refusal told in writing, handed over, proved received
    proxies     代办人: who may book or receive for a household, by the paper both signed
    successions 户内继承: asked for at a household, decided by another from the list
    vulnerable  重点关照: why a household is looked after first, whom to visit first
    sheets      the same lists as files for a spreadsheet

Every page works without scripts.
"""

from web.office import (
    bottles,
    completing,
    counting,
    deposits,
    equipment,
    filling,
    households,
    importing,
    leaving,
    letting,
    noticing,
    opening,
    privacy,
    proxies,
    queues,
    recalling,
    registering,
    reviews,
    successions,
    today,
    vulnerable,
)
from web.office.face import face

__all__ = [
    "bottles",
    "completing",
    "counting",
    "deposits",
    "equipment",
    "face",
    "filling",
    "households",
    "importing",
    "leaving",
    "letting",
    "noticing",
    "opening",
    "privacy",
    "proxies",
    "queues",
    "recalling",
    "registering",
    "reviews",
    "successions",
    "today",
    "vulnerable",
]
