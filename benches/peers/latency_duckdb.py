"""Per-state latency in DuckDB's SQL over JSON Lines, on all cores or on THREADS. Needs duckdb. Follows states in a row only."""
import json
import os
import sys
import duckdb

QUERY = """
WITH executions AS (
    SELECT "describe".executionArn AS execution, "describe".stateMachineArn AS machine, unnest(history.events) AS event
    FROM read_json(?, format = 'newline_delimited', maximum_object_size = 67108864, columns = {
        "describe": 'STRUCT(executionArn VARCHAR, stateMachineArn VARCHAR)',
        history: 'STRUCT(events STRUCT("timestamp" TIMESTAMPTZ, "type" VARCHAR, id INTEGER, stateEnteredEventDetails STRUCT(name VARCHAR))[])'})
), events AS (
    SELECT execution, machine, event."timestamp" AS moment, event."type" AS kind, event.stateEnteredEventDetails.name AS name,
        count(event.stateEnteredEventDetails) OVER (PARTITION BY execution ORDER BY event.id) AS visit
    FROM executions
), visits AS (
    SELECT execution, any_value(machine) AS machine, visit, any_value(name) AS state,
        min(moment) FILTER (kind LIKE '%StateEntered') AS entered, max(moment) FILTER (kind LIKE '%StateExited') AS exited,
        count(*) FILTER (kind LIKE '%Scheduled') AS scheduled,
        count(*) FILTER (kind IN ('TaskFailed', 'TaskTimedOut', 'LambdaFunctionFailed', 'LambdaFunctionTimedOut', 'ActivityFailed',
            'ActivityTimedOut')) AS failed
    FROM events WHERE visit > 0 GROUP BY execution, visit
)
SELECT machine, state, count(*), sum(failed), sum(greatest(scheduled - 1, 0)), count(*) FILTER (exited IS NULL),
    quantile_cont(epoch_us(exited) - epoch_us(entered), [0.5, 0.9, 0.99])
FROM visits GROUP BY machine, state ORDER BY machine, state"""

connection = duckdb.connect()
connection.execute(f"SET threads = {int(os.environ.get('THREADS', os.cpu_count()))}; SET preserve_insertion_order = false")
answer = []
for machine, state, visits, failed, retries, unfinished, quantiles in connection.execute(QUERY, [sys.argv[1]]).fetchall():
    named = {f"p{p}_ms": round(value / 1000, 3) for p, value in zip((50, 90, 99), quantiles or [])}
    answer.append({"state_machine": machine, "state": state, "visits": visits, "failed_attempts": int(failed), "retries": int(retries),
                   "unfinished": unfinished, **named})
print(json.dumps(answer))
