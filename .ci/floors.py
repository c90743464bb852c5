#!/usr/bin/env python3
"""Fails when a figure of root_causes.py lies under its floor: floors.py ANSWERS.json

The floors stand in floors.json beside this file. They are raised when the figures rise, and never lowered.
"""

import json
import pathlib
import sys


def main() -> int:
    floors = json.loads((pathlib.Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))
    figures = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["figures"]
    under = {name: floor for name, floor in floors.items() if (figures.get(name) or 0.0) < floor}
    for name, floor in under.items():
        print(f"{name} is {figures.get(name)}, under its floor of {floor}")
    return 1 if under else 0


sys.exit(main())
