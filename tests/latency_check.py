#!/usr/bin/env python3
"""Reckons from the raw events what `stepscope latency` says, by itself and with the standard library alone.

Reads JSON Lines of {"describe": ..., "history": {"events": [...]}} (gzip or not) and prints a JSON object: for each state machine
and state the visits, attempts, exact quantiles (linear interpolation, type 7) and the parts of the time, in milliseconds. It
knows the histories of the service: links lead back, retries stay in their visit, Parallel and Map hold other visits.
"""
import gzip
import json
import sys
from datetime import datetime, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FAILED = ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut", "ActivityFailed", "ActivityTimedOut")
SUCCEEDED = ("TaskSucceeded", "LambdaFunctionSucceeded", "ActivitySucceeded")


def micros(text):
    since = datetime.fromisoformat(text) - EPOCH
    return (since.days * 86400 + since.seconds) * 10**6 + since.microseconds


class Visit:
    def __init__(self, name, kind, around, at):
        self.name, self.kind, self.around, self.entered = name, kind, around, at
        self.exited = None
        self.attempts = []  # [scheduled, started, submitted, ended, failed, pattern]


def visits_of(events):
    """All visits of one execution; `around` is the visit of the Parallel or Map that holds it."""
    of_event = {}  # event id -> (visit or None, visit around what follows)
    found = []
    for event in events:
        kind, at = event["type"], micros(event["timestamp"])
        visit, scope = of_event.get(event["previousEventId"], (None, None))
        if kind.endswith("StateEntered"):
            visit = Visit(event["stateEnteredEventDetails"]["name"], kind[: -len("StateEntered")], scope, at)
            found.append(visit)
        elif kind.endswith("StateExited"):
            name = event["stateExitedEventDetails"]["name"]
            visit = enclosing(visit, scope, lambda v: v.name == name)
            visit.exited = at
            scope = visit.around
        elif kind in ("ParallelStateStarted", "MapStateStarted"):
            state_type = kind[: -len("StateStarted")]
            visit = enclosing(visit, scope, lambda v: v.kind == state_type and v.exited is None)
            visit.attempts.append([at, None, None, None, False, "scopes"])
            scope = visit
        elif kind in ("ParallelStateSucceeded", "MapStateSucceeded", "ParallelStateFailed", "MapStateFailed"):
            state_type = kind.split("State")[0]
            visit = enclosing(visit, scope, lambda v: v.kind == state_type and v.exited is None)
            visit.attempts[-1][3:5] = [at, kind.endswith("Failed")]
            scope = visit.around
        elif kind == "MapIterationStarted":
            name = event["mapIterationStartedEventDetails"]["name"]
            visit = enclosing(visit, scope, lambda v: v.name == name)
            scope = visit
        elif kind in ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"):
            resource = event.get("taskScheduledEventDetails", {}).get("resource", "")
            pattern = "callback" if resource.endswith(".waitForTaskToken") else "activity" if kind.startswith("Activity") else "call"
            visit.attempts.append([at, None, None, None, False, pattern])
        elif kind in ("TaskStarted", "LambdaFunctionStarted", "ActivityStarted"):
            visit.attempts[-1][1] = at
        elif kind == "TaskSubmitted":
            visit.attempts[-1][2] = at
        elif kind in SUCCEEDED or kind in FAILED:
            visit.attempts[-1][3:5] = [at, kind in FAILED]
        of_event[event["id"]] = (visit, scope)
    return found


def enclosing(visit, scope, test):
    if visit is not None and test(visit):
        return visit
    while scope is not None and not test(scope):
        scope = scope.around
    return scope


def parts_of(visit):
    """Queue, run, retry wait, callback: microseconds, or None where there was nothing of the kind."""
    parts = {}

    def add(name, start, end):
        if start is not None and end is not None:
            parts[name] = parts.get(name, 0) + end - start

    before = None
    for scheduled, started, submitted, ended, failed, pattern in visit.attempts:
        add("queue", scheduled, started)
        if pattern == "callback":
            add("run", started, submitted)
            add("callback", submitted if submitted is not None else started if started is not None else scheduled, ended)
        elif pattern == "activity":
            add("callback", started, ended)
        else:
            add("run", started if started is not None else scheduled, ended)
        add("retry_wait", before, scheduled)
        before = ended
    return parts


def quantile(values, p):
    position = (len(values) - 1) * p
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return (values[below] + (values[above] - values[below]) * (position - below)) / 1000


def figures(values):
    values.sort()
    total = sum(values) / 1000
    return {"visits": len(values), "p50_ms": quantile(values, 0.5), "p95_ms": quantile(values, 0.95), "total_ms": total} if values else None


def main():
    opener = gzip.open if sys.argv[1].endswith(".gz") else open
    states = {}
    with opener(sys.argv[1], "rt", encoding="utf-8") as lines:
        for line in lines:
            execution = json.loads(line)
            machine = execution["describe"]["stateMachineArn"]
            for visit in visits_of(execution["history"]["events"]):
                new = {"visits": 0, "failed_attempts": 0, "retries": 0, "durations": [], "parts": {}}
                state = states.setdefault((machine, visit.name), new)
                state["visits"] += 1
                state["retries"] += max(0, len(visit.attempts) - 1)
                # A run of a Parallel or Map that was tried again had failed, too, whether or not an event says so.
                tried_again = len(visit.attempts) - 1
                failed = [attempt[4] or (position < tried_again) for position, attempt in enumerate(visit.attempts)]
                state["failed_attempts"] += sum(failed)
                if visit.exited is not None:
                    state["durations"].append(visit.exited - visit.entered)
                    for name, value in parts_of(visit).items():
                        state["parts"].setdefault(name, []).append(value)
    answer = []
    for (machine, name), state in sorted(states.items()):
        values = sorted(state["durations"])
        row = {"state_machine": machine, "state": name, "visits": state["visits"], "unfinished": state["visits"] - len(values)}
        row.update(failed_attempts=state["failed_attempts"], retries=state["retries"], total_ms=sum(values) / 1000)
        for percent in (50, 90, 95, 99):
            row[f"p{percent}_ms"] = quantile(values, percent / 100) if values else None
        row["max_ms"] = values[-1] / 1000 if values else None
        row["mean_ms"] = sum(values) / len(values) / 1000 if values else None
        for part in ("queue", "run", "retry_wait", "callback"):
            row[part] = figures(state["parts"].get(part, []))
        answer.append(row)
    json.dump(answer, sys.stdout)


main()
