# expect: Exited
# Children that nobody waits for count against later runs, if they are left to someone outside.
for i in range(50):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
print("refused")
