# expect: Exited
# Detached as a daemon would, in a session of its own, under another name.
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(0, 20):
            try:
                os.close(fd)
            except OSError:
                pass
        os.execv("/usr/bin/python3", [given["marker"], "-c", "import time; time.sleep(300)"])
    os._exit(0)
time.sleep(0.2)
