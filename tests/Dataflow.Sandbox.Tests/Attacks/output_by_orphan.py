# expect: Exited
# The pipes stay open in an orphan; nobody may wait for their end.
if os.fork() == 0:
    os.setsid()
    while True:
        os.write(1, b"")
        time.sleep(0.01)
os._exit(0)
