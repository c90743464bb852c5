-- Which states start failures, with which error, and how many executions did that cost?
SELECT
    machine,
    root_state,
    root_error,
    COUNT(*) AS executions,
    MIN(root_time) AS first_seen,
    MAX(root_time) AS last_seen
FROM executions
WHERE status IN ('FAILED', 'TIMED_OUT', 'ABORTED')
GROUP BY machine, root_state, root_error
ORDER BY executions DESC, machine, root_state, root_error
