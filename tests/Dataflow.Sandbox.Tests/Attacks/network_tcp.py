# expect: Exited
# The host listens on loopback; so do its services.
import socket
attempt("host port", lambda: socket.create_connection(("127.0.0.1", given["port"]), 2))
attempt("host port over IPv6", lambda: socket.create_connection(("::1", given["port"]), 2))
attempt("public address", lambda: socket.create_connection(("1.1.1.1", 53), 2))
attempt("metadata service", lambda: socket.create_connection(("169.254.169.254", 80), 2))
