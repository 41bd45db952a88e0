# Parses the candidate without running it; a mistake goes to stderr as 'candidate.py:line:column: error: message'.
import sys

with open("/job/candidate.py", "rb") as file:
    source = file.read()
try:
    compile(source, "candidate.py", "exec", dont_inherit=True)
except SyntaxError as error:
    sys.exit(f"candidate.py:{error.lineno or 0}:{error.offset or 0}: error: {type(error).__name__}: {error.msg}")
except (ValueError, RecursionError, MemoryError) as error:
    sys.exit(f"candidate.py:0:0: error: {type(error).__name__}: {error}")
