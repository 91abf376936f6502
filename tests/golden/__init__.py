"""What the profiles make of one home, to be looked at line by line.

`home.json` holds what happened in a real Home Assistant with demo entities, once, and what is
written by hand beside it. `python -m tests.golden` writes the lines anew; read the difference.
`python -m tests.golden.record DIRECTORY`, with the Python of the runtime environment, makes another
home.
"""
