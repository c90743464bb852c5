-- What has been waiting for somebody, and since when?
SELECT
    visits.execution AS execution,
    visits.state AS state,
    visits.pattern AS pattern,
    visits.entered AS entered
FROM visits
JOIN executions ON visits.execution = executions.execution
WHERE visits.outcome = 'open'
    AND visits.pattern IN ('callback', 'activity', 'job', 'child_execution')
    AND executions.status = 'RUNNING'
ORDER BY entered, execution, state
