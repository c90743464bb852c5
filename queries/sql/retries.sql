-- Which states retry, after which error, and how long do they wait before they try again?
WITH failed AS (
    SELECT execution, visit, redrive, number + 1 AS next_number, error AS retried_error
    FROM attempts
)
SELECT
    attempts.machine,
    attempts.state,
    failed.retried_error,
    COUNT(*) AS retries,
    ROUND(AVG(attempts.wait_before_ms), 3) AS mean_wait_ms,
    ROUND(MAX(attempts.wait_before_ms), 3) AS max_wait_ms
FROM attempts
JOIN failed
    ON attempts.execution = failed.execution
    AND attempts.visit = failed.visit
    AND attempts.redrive = failed.redrive
    AND attempts.number = failed.next_number
GROUP BY attempts.machine, attempts.state, failed.retried_error
ORDER BY retries DESC, machine, state, retried_error
