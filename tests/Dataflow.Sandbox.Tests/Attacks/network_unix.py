# expect: Exited
# Abstract sockets belong to a network namespace, named ones to a file system: the host listens on one of each.
import socket
def connect(name):
    s = socket.socket(socket.AF_UNIX)
    s.connect(name)
attempt("abstract socket of the host", lambda: connect("\0" + given["abstract"]))
attempt("named socket of the host", lambda: connect(given["socket"]))
attempt("container engine", lambda: connect("/var/run/docker.sock"))
attempt("system bus", lambda: connect("/run/dbus/system_bus_socket"))
