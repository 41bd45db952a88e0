# expect: Exited
for path in ["/x", "/usr/x", "/usr/bin/python3", "/etc/x", "/bin/x", "/dev/x", "/proc/x", "/job/x", "/job/main.py", "/run/x", "/var/x", "/home/x"]:
    attempt("write " + path, lambda: write(path))
attempt("remove a system file", lambda: os.unlink("/usr/bin/python3"))
attempt("rename a system folder", lambda: os.rename("/usr/lib", "/usr/lib2"))
attempt("overwrite the host's file", lambda: write(given["canary"]))
attempt("change the mode of a system file", lambda: os.chmod("/usr/bin/env", 0o777))
attempt("make the job writable", lambda: os.chmod("/job", 0o777))
attempt("remove the job's file", lambda: os.unlink("/job/main.py"))
attempt("write through a descriptor of the job's file", lambda: os.write(os.open("/job/main.py", os.O_RDWR), b"x"))
