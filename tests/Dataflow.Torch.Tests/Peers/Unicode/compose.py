"""Python's own composition of Unicode text: a peer of the tests.

usage: compose.py TEXTS.json OUT.json    each text in composed form (NFC)
"""
import json
import sys
import unicodedata

with open(sys.argv[1], encoding="utf-8") as source:
    texts = json.load(source)
with open(sys.argv[2], "w", encoding="utf-8") as target:
    json.dump([unicodedata.normalize("NFC", text) for text in texts], target)
