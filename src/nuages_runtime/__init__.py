"""What nuages puts into a project's image: it serves, migrates and tells facts, with nothing but the standard library
and Django.

    python -m nuages_runtime.serve      the web server, its time-outs from the environment
    python -m nuages_runtime.worker     the project's Celery worker, with a heartbeat; `beat` its scheduler
    python -m nuages_runtime.alive      the kubelet's question to those two
    python -m nuages_runtime.migrate    the release's migrations, once, under a lock
    python -m nuages_runtime.facts      at build time: what the image says of itself; `bytecode` compiles it

In every process hook.py puts the overlay on the project's settings.

Python >= 3.10 and Django >= 4.2: it runs with what the project has, so it demands nothing newer.
"""
