# Gives a program what Python has besides its language: a scope that is the main module, and the names that a start without
# the site module lacks and programs use all the same. The site module itself would show what else this machine has installed.
import _sitebuiltins
import builtins
import sys

CANDIDATE = "/job/candidate.py"

for name in "exit", "quit":
    setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
builtins.help = _sitebuiltins._Helper()


def code():
    with open(CANDIDATE, "rb") as file:
        return compile(file.read(), CANDIDATE, "exec", dont_inherit=True)


def main_module():
    """A new main module, which takes the place of the one that is there."""
    sys.argv = [CANDIDATE]
    module = type(sys)("__main__")
    module.__file__ = CANDIDATE
    sys.modules["__main__"] = module
    return module.__dict__


if __name__ == "__main__":
    exec(code(), main_module())
