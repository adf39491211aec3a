"""Measured claims. Each is one command that builds what it needs, measures, and prints a table.

    python -m bench.verdict     may this bottle be filled?  asked in process, against raw psycopg
    python -m bench.booking     a resident books a bottle   done in process, against raw psycopg
    python -m bench             both
    python -m bench.plan        a zone's day planned afresh, against the greedy rounds alone
    python -m bench.memory      the server's memory, against a bare Flask application in the same server

stand.py      a durable PostgreSQL of its own, a town built through the application, clones of it
town.py       the town: a firm, its station, its bottles, and residents who may book
operation.py  one operation, asked at the door or of the service behind it
recorded.py   what the application sends to PostgreSQL, written down, and replayed by raw psycopg
race.py       application and raw psycopg by turns, on two clones that must end alike
sampled.py    where the application's own time goes
commands.py   what the server itself ran for one operation
bare.py       the bare application
report.py     the table a person reads, and its JSON
"""
