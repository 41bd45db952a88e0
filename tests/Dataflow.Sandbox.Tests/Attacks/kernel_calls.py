# expect: Exited
page = ctypes.create_string_buffer(4096)
calls = dict(io_uring_setup=(425, 8, page), io_uring_enter=(426, 0, 1, 0, 0, 0), io_uring_register=(427, 0, 0, 0, 0), bpf=(321, 0, page, 128), perf_event_open=(298, page, 0, -1, -1, 0), userfaultfd=(323, 0),
    add_key=(248, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"k"), ctypes.c_char_p(b"v"), 1, -3), request_key=(249, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"k"), 0, -3), keyctl=(250, 0, -3, 1),
    open_by_handle_at=(304, -100, page, 0), name_to_handle_at=(303, -100, ctypes.c_char_p(b"/"), page, page, 0), init_module=(175, page, 0, page), finit_module=(313, 0, page, 0), delete_module=(176, page, 0),
    kexec_load=(246, 0, 0, page, 0), reboot=(169, 0xfee1dead, 672274793, 0, 0), swapon=(167, page, 0), acct=(163, page), quotactl=(179, 0, page, 0, page), syslog=(103, 3, page, 4096), personality=(135, 0x40000),
    settimeofday=(164, page, 0), clock_settime=(227, 0, page), adjtimex=(159, page), iopl=(172, 3), ioperm=(173, 0, 1, 1), fanotify_init=(300, 0, 0), move_pages=(279, 0, 0, 0, 0, 0, 0), mbind=(237, 0, 0, 0, 0, 0, 0), vhangup=(153,))
for name, (number, *arguments) in calls.items():
    attempt(name, lambda: call(number, *arguments))
