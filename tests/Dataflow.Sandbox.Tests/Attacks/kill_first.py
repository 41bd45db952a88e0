# expect: Exited
# The sandbox's own first process; and the parent, who may be it.
try:
    os.kill(1, 9)
    os.kill(os.getppid(), 9)
except OSError as refusal:
    print("refused", refusal)
time.sleep(0.2)
print("refused: still here")
