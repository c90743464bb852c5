-- Which executions come near the limit of 25,000 events?
SELECT
    execution,
    machine,
    status,
    events,
    ROUND(events / 250.0, 1) AS percent_of_limit
FROM executions
WHERE events >= 10000
ORDER BY events DESC, execution
