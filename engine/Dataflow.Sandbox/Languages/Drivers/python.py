# Runs inside the sandbox. Loads the candidate, evaluates the calls, and writes their values to descriptor 8, each after the
# token that it alone was given on stdin. It holds no expected value: the comparison is made outside, so nothing in here can decide a verdict.
import ast
import collections
import json
import opcode
import os
import sys


# Kinds of the standard library that are dictionaries or lists with more methods; what they hold is read as that of the base.
DICTIONARIES = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)

# Names of numbers that an expected value may use without importing them; a candidate has its own.
NUMBERS = {"Decimal": "decimal", "Fraction": "fractions"}

# Beyond it a number's exact value would have more digits than anybody wrote.
MOST_DIGITS = 5000


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
    if kind is complex:
        return plain(value.real) if value.imag == 0 else {"complex": [plain(value.real), plain(value.imag)]}
    return number(value, kind)


def number(value, kind):
    """A Decimal or a Fraction as what it is equal to: a whole number, a float, or a ratio."""
    if kind is getattr(sys.modules.get("decimal"), "Decimal", None):
        if not value.is_finite():
            return plain(float(value))
        if abs(value.adjusted()) > MOST_DIGITS:
            return {"?": kind.__name__}
    elif kind is not getattr(sys.modules.get("fractions"), "Fraction", None):
        return {"?": kind.__name__}
    above, below = value.as_integer_ratio()
    if below == 1:
        return above
    try:
        near = above / below
    except OverflowError:
        near = None
    return near if near is not None and near.as_integer_ratio() == (above, below) else {"ratio": [above, below]}


def parse(call):
    """The call as code. What it writes has as many digits as it likes, and what it computes no more than Python allows."""
    allowed = digits(0)
    try:
        return compile(ast.parse(call.strip(), mode="eval"), "test", "eval")
    finally:
        digits(allowed)


def written(answer):
    allowed = digits(0)
    try:
        return json.dumps(answer)
    finally:
        digits(allowed)


def digits(most):
    """Sets how many digits a number and a text may have to be read as each other; gives what it was before."""
    # Older versions of Python know no such limit.
    if not hasattr(sys, "set_int_max_str_digits"):
        return most
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(most)
    return before


def said(error):
    """What an error says. Python itself gives no reason for want of memory, so it is told where a program raised it."""
    name = type(error).__name__ + ": "
    if isinstance(error, MemoryError) and raised(error.__traceback__):
        name += "raised by the program: "
    return name + str(error)[:500]


def raised(trace):
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_code[trace.tb_lasti] == opcode.opmap["RAISE_VARARGS"]


def load(source):
    """The candidate's scope: that of a module, which is found by what looks up where a class or a function comes from."""
    module = type(sys)("candidate")
    # A process that is not forked has to import it anew.
    sys.path.append("/job")
    import dataflow_start
    module.__file__ = dataflow_start.CANDIDATE
    sys.modules["candidate"] = module
    exec(compile(source, dataflow_start.CANDIDATE, "exec"), module.__dict__)
    return module.__dict__


def main():
    with open("/job/candidate.py", encoding="utf-8") as file:
        source = file.read()
    with open("/job/calls.json", encoding="utf-8") as file:
        calls = json.load(file)
    token = os.read(0, 64).decode().strip()
    out = os.fdopen(8, "w", encoding="utf-8")
    scope = load(source)
    for i, call in enumerate(calls):
        answer = {"i": i}
        try:
            code = parse(call)
            if not source:
                scope.update((name, getattr(__import__(NUMBERS[name]), name)) for name in code.co_names if name in NUMBERS)
            answer["value"] = plain(eval(code, scope))
            line = written(answer)
        except BaseException as error:
            line = written({"i": i, "error": said(error)})
        out.write(token + line + "\n")
        out.flush()


# A process that the candidate spawns imports this file too.
if __name__ == "__main__":
    main()
