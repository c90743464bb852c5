#!/usr/bin/env python3
"""Compares `stepscope latency` with DuckDB's SQL and a short Python program over the same executions.

    pip install duckdb orjson
    benches/compare.py [--executions 50000] [--rounds 5] [--file FILE]

Builds the program, writes the executions (the same bytes everywhere) unless FILE is given, runs all of them in turns, so that a
drifting machine hurts all alike, checks that their answers agree, and prints medians, ratios, and the most memory that each took.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
FIELDS = ("visits", "failed_attempts", "retries", "unfinished", "p50_ms", "p90_ms", "p99_ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--file", help="JSON Lines of {\"describe\": …, \"history\": …}, states in a row only")
    parser.add_argument("--program", help="the built stepscope, in place of building it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stepscope-compare-") as folder:
        compare(arguments, folder)


def compare(arguments, folder):
    program = arguments.program or build()
    path = arguments.file or write(os.path.join(folder, "executions.jsonl"), arguments.executions)
    store = os.path.join(folder, "store")
    candidates = {
        "stepscope, from JSON": [program, "latency", "--input", path, "--output", "json"],
        "DuckDB SQL": [sys.executable, os.path.join(HERE, "peers", "latency_duckdb.py"), path],
        "Python with orjson": [sys.executable, os.path.join(HERE, "peers", "latency_python.py"), path],
    }
    if subprocess.run([program, "ingest", path, "--store", store, "--quiet"], stdout=subprocess.DEVNULL).returncode == 0:
        candidates["stepscope, from store"] = [program, "latency", "--store", store, "--output", "json"]
    times, memory, answers = {name: [] for name in candidates}, {}, {}
    for round_number in range(arguments.rounds + 1):
        for name, command in candidates.items():
            seconds, peak, output = run(command)
            memory[name] = max(memory.get(name, 0), peak)
            answers[name] = table(json.loads(output))
            if round_number > 0:
                times[name].append(seconds)
    report(path, times, memory)
    check(answers)


def build():
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    return os.path.join(target, "release", "stepscope")


def write(path, executions):
    subprocess.run(["cargo", "bench", "--quiet", "--bench", "fleet", "--", "--write", path, "--executions", str(executions)],
                   cwd=ROOT, check=True)
    return path


def run(command):
    """Seconds, megabytes at most, and what it wrote."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024, output


def table(answer):
    rows = answer["states"] if isinstance(answer, dict) else answer
    return {(row["state_machine"], row["state"]): [row.get(field) for field in FIELDS] for row in rows}


def report(path, times, memory):
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    ours = medians["stepscope, from JSON"]
    print(f"{os.path.getsize(path) / 1e6:.0f} MB, {os.cpu_count()} cores, median of {len(times['DuckDB SQL'])} alternating runs")
    for name, median in medians.items():
        spread = f"{min(times[name]):.2f} to {max(times[name]):.2f}"
        print(f"  {name:22} {median:7.3f} s ({spread} s)  {median / ours:6.2f} x stepscope from JSON  {memory[name]:6.0f} MB")


def check(answers):
    ours = answers["stepscope, from JSON"]
    for name, theirs in answers.items():
        if theirs.keys() != ours.keys():
            sys.exit(f"{name} has other states than stepscope: {sorted(theirs.keys() ^ ours.keys())[:5]}")
        for key, row in theirs.items():
            for field, value, expected in zip(FIELDS, row, ours[key]):
                if abs((value or 0) - (expected or 0)) > 0.002:
                    sys.exit(f"{name} and stepscope disagree on {field} of {key}: {value} and {expected}")
    print("All answers agree.")


if __name__ == "__main__":
    main()
