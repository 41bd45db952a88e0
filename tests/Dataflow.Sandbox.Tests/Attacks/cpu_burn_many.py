# expect: TimedOut
for i in range(8):
    if os.fork() == 0:
        break
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    pass
