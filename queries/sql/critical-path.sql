-- Which states make executions long: how much time passed in each on the critical path?
SELECT
    machine,
    state,
    COUNT(*) AS visits,
    ROUND(SUM(critical_ms), 3) AS critical_ms
FROM visits
WHERE critical_ms > 0
GROUP BY machine, state
ORDER BY critical_ms DESC, machine, state
