"""What `nuages dev` runs in its pod: the project as it is on somebody's machine, served there while it is edited.

supervisor.py   what the pod runs: keeps the files, starts the server anew, answers who is connected
served.py       the server's process: its terminal, and how it ends
relay.py        the port: whoever asks while the server starts waits for it
files.py        the project's folder: what is in it, and what comes
inside.py       in the server's process: a debugger that waits, templates that changed, migrations that are missing
bridge.py       the other end of the tool's connection
"""
