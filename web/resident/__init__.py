"""The resident's face: my home, booking, the refusal said plainly, the delivery followed and confirmed.

pages.py   every page, with its verb
reviews.py what was refused to oneself, and having a person look at it again
refusal_notices.py a refusal as it was told in writing, read and confirmed
said.py    what the words of the rooms are called to a resident: Chinese, English
"""
