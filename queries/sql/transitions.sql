-- What does each state cost: how many state transitions are charged for it, and how many of them are retries?
SELECT
    state_machine,
    state,
    SUM(transitions) AS transitions,
    SUM(retries) AS retries
FROM visits
GROUP BY state_machine, state
ORDER BY transitions DESC, state_machine, state
