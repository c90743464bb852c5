-- Does a version of a machine fail more often than the one before it?
SELECT
    machine,
    version,
    COUNT(*) AS executions,
    SUM(CASE WHEN status IN ('FAILED', 'TIMED_OUT', 'ABORTED') THEN 1 ELSE 0 END) AS unsuccessful,
    MIN(start) AS first_start,
    MAX(start) AS last_start
FROM executions
GROUP BY machine, version
ORDER BY machine, first_start, version
