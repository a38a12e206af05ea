"""What nuages puts into a project's image: it serves, migrates and tells facts, with nothing but the standard library
and Django.

    python -m nuages_runtime.serve      the web server, its time-outs from the environment
    python -m nuages_runtime.migrate    the release's migrations, once, under a lock
    python -m nuages_runtime.facts      at build time: what the image says of itself

Python >= 3.10 and Django >= 4.2: it runs with what the project has, so it demands nothing newer.
"""
