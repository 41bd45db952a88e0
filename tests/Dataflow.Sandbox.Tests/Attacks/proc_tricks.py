# expect: Exited
for path, text in {"/proc/sysrq-trigger": "b", "/proc/sys/kernel/core_pattern": "|/tmp/x", "/proc/sys/kernel/hostname": "x", "/proc/sys/vm/drop_caches": "3", "/proc/sys/kernel/modprobe": "/tmp/x",
        "/proc/1/oom_score_adj": "-1000", "/proc/self/uid_map": "0 0 1", "/proc/self/setgroups": "allow", "/proc/sys/user/max_user_namespaces": "1000", "/proc/self/attr/current": "unconfined"}.items():
    attempt("write " + path, lambda: write(path, text))
attempt("spare ourselves when memory runs out", lambda: write("/proc/self/oom_score_adj", "-1000"))
attempt("kernel memory", lambda: read("/proc/kcore"))
attempt("kernel log", lambda: read("/proc/kmsg"))
attempt("physical memory", lambda: read("/dev/mem"))
attempt("disk", lambda: read("/dev/vda"))
attempt("kernel pages", lambda: read("/proc/kpageflags"))
host = [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 60]
print("ESCAPED" if host else "refused", "processes of the host", host)
attempt("timers of all", lambda: read("/proc/timer_list") + b"!" )
