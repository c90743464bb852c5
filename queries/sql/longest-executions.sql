-- Which executions took longest?
SELECT
    execution,
    machine,
    status,
    start,
    duration_ms,
    events
FROM executions
WHERE duration_ms IS NOT NULL
ORDER BY duration_ms DESC, execution
LIMIT 20
