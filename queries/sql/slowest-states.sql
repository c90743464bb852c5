-- In which states does the time go, and how long does a visit take?
SELECT
    machine,
    state,
    COUNT(duration_ms) AS visits,
    ROUND(SUM(duration_ms), 3) AS total_ms,
    ROUND(AVG(duration_ms), 3) AS mean_ms,
    ROUND(MEDIAN(duration_ms), 3) AS p50_ms,
    ROUND(QUANTILE_CONT(duration_ms, 0.95), 3) AS p95_ms,
    ROUND(MAX(duration_ms), 3) AS max_ms
FROM visits
WHERE exited IS NOT NULL
GROUP BY machine, state
ORDER BY total_ms DESC, machine, state
