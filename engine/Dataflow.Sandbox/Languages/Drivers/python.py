# Runs inside the sandbox. Loads the candidate, evaluates the calls, and writes their values to descriptor 8, each after the
# token that it alone was given on stdin. It holds no expected value: the comparison is made outside, so nothing in here can decide a verdict.
import ast
import collections
import json
import os


# Kinds of the standard library that are dictionaries or lists with more methods; what they hold is read as that of the base.
DICTIONARIES = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)


def plain(value, depth=0):
    """A value as plain JSON; types that JSON lacks are tagged, so that a tuple is not a list and 1 is not True."""
    if depth > 60:
        return {"?": "too deep"}
    kind = type(value)
    if value is None or kind in (bool, str, int):
        return value
    if kind is float:
        return value if value == value and abs(value) != float("inf") else {"float": repr(value)}
    if kind is list:
        return [plain(item, depth + 1) for item in value]
    if kind is tuple:
        return {"tuple": [plain(item, depth + 1) for item in value]}
    if kind in (set, frozenset):
        return {"set": [plain(item, depth + 1) for item in value]}
    if kind in DICTIONARIES:
        return {"dict": [[plain(k, depth + 1), plain(v, depth + 1)] for k, v in dict.items(value)]}
    if kind in (bytes, bytearray):
        return {"bytes": value.hex()}
    return {"?": kind.__name__}


def main():
    with open("/job/candidate.py", encoding="utf-8") as file:
        source = file.read()
    with open("/job/calls.json", encoding="utf-8") as file:
        calls = json.load(file)
    token = os.read(0, 64).decode().strip()
    out = os.fdopen(8, "w", encoding="utf-8")
    scope = {"__name__": "candidate"}
    exec(compile(source, "candidate.py", "exec"), scope)
    for i, call in enumerate(calls):
        answer = {"i": i}
        try:
            answer["value"] = plain(eval(compile(ast.parse(call.strip(), mode="eval"), "test", "eval"), scope))
        except BaseException as error:
            answer["error"] = type(error).__name__ + ": " + str(error)[:500]
        out.write(token + json.dumps(answer) + "\n")
        out.flush()


main()
