-- What does each state cost: how many state transitions are charged for it, and how many of them are retries?
SELECT
    machine,
    state,
    SUM(transitions) AS transitions,
    SUM(retries) AS retries
FROM visits
GROUP BY machine, state
ORDER BY transitions DESC, machine, state
