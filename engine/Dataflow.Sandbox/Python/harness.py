# Runs inside the sandbox. Reads one job from stdin, loads the candidate, evaluates what is asked, and writes the values
# to descriptor 8. It holds no expected value: the comparison is made outside, so nothing in here can decide a verdict.
import ast
import json
import os
import sys


def plain(value, depth=0):
    """A value as plain JSON; types that JSON lacks are tagged, so that a tuple is not a list and 1 is not True."""
    if depth > 20:
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
        return {"set": sorted((json.dumps(plain(item, depth + 1)) for item in value))}
    if kind is dict:
        return {"dict": [[plain(k, depth + 1), plain(v, depth + 1)] for k, v in value.items()]}
    return {"?": kind.__name__}


def main():
    job = json.loads(sys.stdin.buffer.read())
    sys.stdin.close()
    out = os.fdopen(8, "w", encoding="utf-8")
    scope = {"__name__": "candidate"}
    if job["source"]:
        exec(compile(job["source"], "candidate.py", "exec"), scope)
    for expression in job["expressions"]:
        try:
            answer = {"value": plain(eval(compile(ast.parse(expression.strip(), mode="eval"), "test", "eval"), scope))}
        except BaseException as error:
            answer = {"error": type(error).__name__ + ": " + str(error)[:500]}
        out.write(json.dumps(answer) + "\n")
        out.flush()


main()
