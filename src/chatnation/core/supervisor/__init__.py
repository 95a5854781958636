"""`chatnation serve`: a small process that keeps the servers and the working processes of one instance alive.

The supervisor imports neither plugins nor the web application, so it stays small and has little that can fail. It talks
to its children through their standard streams: a line on a child's output says that it is ready, and the end of the
child's input says that the supervisor is gone, however it died, and that the child has to go too.
"""
