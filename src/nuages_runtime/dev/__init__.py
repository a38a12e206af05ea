"""What `nuages dev` runs in its pod: the project as it is on somebody's machine, served there while it is edited.

supervisor.py   what the pod runs: keeps the files, starts the server anew, answers who is connected
served.py       the server's process: its terminal, and how it ends
relay.py        the port: whoever asks while the server starts waits for it
files.py        the project's folder: what is in it, and what comes
inside.py       in the server's process: a debugger that waits, templates that changed, migrations that are missing
bridge.py       the other end of the tool's connection, frames.py what goes over it
copied.py       before all that: the image's project, where it can be written to
serve.py        the server's process begins: wsgi.py and asgi.py wrap the project's, statics.py has its files
settings.py     what the overlay does here: DEBUG, no https; mail.py keeps mail, letters.py shows it
places.py       where everything is in the pod
"""
