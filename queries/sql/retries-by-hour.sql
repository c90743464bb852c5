-- When were there many retries?
SELECT
    day,
    EXTRACT(HOUR FROM scheduled) AS hour,
    machine,
    state,
    COUNT(*) AS retries
FROM attempts
WHERE number > 1
GROUP BY day, EXTRACT(HOUR FROM scheduled), machine, state
ORDER BY retries DESC, day, hour, machine, state
