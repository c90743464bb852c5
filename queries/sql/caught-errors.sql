-- Which errors were caught, or cured by a retry, so that no execution failed of them?
SELECT
    machine,
    state,
    error,
    outcome,
    COUNT(*) AS visits,
    SUM(failed_attempts) AS failed_attempts
FROM visits
WHERE failed_attempts > 0
    AND outcome IN ('caught', 'succeeded')
GROUP BY machine, state, error, outcome
ORDER BY visits DESC, machine, state, error, outcome
