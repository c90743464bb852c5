-- Which states receive the largest inputs, in characters? The limit is 262,144 bytes.
SELECT
    state_machine,
    state,
    COUNT(*) AS visits,
    ROUND(AVG(LENGTH(input)), 1) AS mean_length,
    MAX(LENGTH(input)) AS max_length
FROM events
WHERE type LIKE '%StateEntered'
    AND input IS NOT NULL
GROUP BY state_machine, state
ORDER BY max_length DESC, state_machine, state
