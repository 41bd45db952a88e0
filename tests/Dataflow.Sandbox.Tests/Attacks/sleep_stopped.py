# expect: TimedOut
# A stopped process takes no signal but SIGKILL.
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(100)
