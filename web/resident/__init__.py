"""The resident's face: my home, booking, the refusal said plainly, the delivery followed and confirmed.

pages.py   every page, with its verb
said.py    what the words of the rooms are called to a resident: Chinese, English
"""
