"""Thin: load the form, call one service, dump the answer."""

from core.http import Room

room = Room("registry", __name__)
