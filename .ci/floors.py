#!/usr/bin/env python3
"""Fails when a measured figure lies under its floor: floors.py root_causes|conformance ANSWERS.json

ANSWERS.json is what root_causes.py or conformance.py writes with --json. The floors stand in floors.json beside this file. They are
raised when the figures rise, and never lowered.
"""

import json
import pathlib
import sys


def shares(kind: str, answers: dict) -> dict[str, float]:
    """The measured figures, by the names of the floors."""
    if kind == "root_causes":
        return {name: figure or 0.0 for name, figure in answers["figures"].items()}
    return {
        f"{verb} {level}": good / judged if judged else 0.0
        for verb, row in answers["totals"].items()
        for level, (good, judged) in ((level, row[level]) for level in ("O", "OC", "T", "D", "X"))
    }


def floors(kind: str) -> dict[str, float]:
    wanted = json.loads((pathlib.Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))[kind]
    if kind == "root_causes":
        return wanted
    return {f"{verb} {level}": floor for verb, levels in wanted.items() for level, floor in levels.items()}


def main() -> int:
    kind, path = sys.argv[1:]
    found = shares(kind, json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
    under = {name: floor for name, floor in floors(kind).items() if found.get(name, 0.0) < floor}
    for name, floor in under.items():
        print(f"{name} is {found.get(name, 0.0):.4f}, under its floor of {floor}")
    return 1 if under else 0


sys.exit(main())
