-- How many executions of each machine started, failed and ran out of time, day by day?
SELECT
    day,
    machine,
    COUNT(*) AS executions,
    SUM(CASE WHEN status = 'FAILED' THEN 1 ELSE 0 END) AS failed,
    SUM(CASE WHEN status = 'TIMED_OUT' THEN 1 ELSE 0 END) AS timed_out,
    SUM(CASE WHEN status = 'ABORTED' THEN 1 ELSE 0 END) AS aborted,
    ROUND(100.0 * SUM(CASE WHEN status IN ('FAILED', 'TIMED_OUT', 'ABORTED') THEN 1 ELSE 0 END) / COUNT(*), 2) AS unsuccessful_percent
FROM executions
GROUP BY day, machine
ORDER BY day, machine
