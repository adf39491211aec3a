"""The resident's face: my home, booking, the refusal said plainly, the delivery followed and confirmed.

pages.py   every page, with its verb
reviews.py what was refused to oneself, and having a person look at it again
said.py    what the words of the rooms are called to a resident: Chinese, English
"""
