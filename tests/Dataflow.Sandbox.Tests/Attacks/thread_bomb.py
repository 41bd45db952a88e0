# expect: Exited
import threading
stop = threading.Event()
count = 0
try:
    while count < 2000:
        threading.Thread(target=stop.wait, daemon=True).start()
        count += 1
except RuntimeError:
    pass
print("ESCAPED" if count > 200 else "refused", count, "threads")
sys.stdout.flush()
os._exit(0)
