# Parses sources without running them; mistakes go to stderr as 'file:line:column: error: message'.
import sys

failed = False
for name in sys.argv[1:] or ["candidate.py"]:
    with open("/job/" + name, "rb") as file:
        source = file.read()
    try:
        compile(source, name, "exec", dont_inherit=True)
        continue
    except SyntaxError as error:
        at, said = f"{error.lineno or 0}:{error.offset or 0}", f"{type(error).__name__}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        at, said = "0:0", f"{type(error).__name__}: {error}"
    failed = True
    print(f"{name}:{at}: error: {said}", file=sys.stderr)
sys.exit(1 if failed else 0)
