"""Per-state latency in a short Python program: what somebody writes who has no tool. Needs orjson. Follows states in a row only."""
import sys
from datetime import datetime
import orjson

FAILED = {"TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut", "ActivityFailed", "ActivityTimedOut"}
states = {}
for line in open(sys.argv[1], "rb"):
    execution = orjson.loads(line)
    machine, state = execution["describe"]["stateMachineArn"], None
    for event in execution["history"]["events"]:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            key = machine, event["stateEnteredEventDetails"]["name"]
            state = states.setdefault(key, {"durations": [], "visits": 0, "failed_attempts": 0, "retries": 0})
            state["visits"] += 1
            entered, scheduled = datetime.fromisoformat(event["timestamp"]), 0
        elif kind.endswith("StateExited"):
            state["durations"].append((datetime.fromisoformat(event["timestamp"]) - entered).total_seconds() * 1000)
        elif kind.endswith("Scheduled"):
            scheduled += 1
            state["retries"] += scheduled > 1
        elif kind in FAILED:
            state["failed_attempts"] += 1


def quantile(values, p):
    position = (len(values) - 1) * p
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


answer = []
for (machine, name), state in sorted(states.items()):
    durations = sorted(state.pop("durations"))
    quantiles = {f"p{p}_ms": round(quantile(durations, p / 100), 3) for p in (50, 90, 99)} if durations else {}
    answer.append({"state_machine": machine, "state": name, **state, "unfinished": state["visits"] - len(durations), **quantiles})
sys.stdout.buffer.write(orjson.dumps(answer))
