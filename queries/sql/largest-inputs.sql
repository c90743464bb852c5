-- Which states receive the largest inputs, in characters? The limit is 262,144 bytes.
SELECT
    machine,
    state,
    COUNT(*) AS visits,
    ROUND(AVG(LENGTH(input)), 1) AS mean_length,
    MAX(LENGTH(input)) AS max_length
FROM events
WHERE type LIKE '%StateEntered'
    AND input IS NOT NULL
GROUP BY machine, state
ORDER BY max_length DESC, machine, state
