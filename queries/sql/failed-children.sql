-- Which failed executions failed because a child execution did, and where did the child fail?
SELECT
    parent.execution AS parent,
    parent.root_state AS waited_in,
    child.execution AS child,
    child.root_state AS root_state,
    child.root_error AS root_error
FROM executions AS parent
JOIN executions AS child ON parent.failed_child = child.execution
ORDER BY parent, child
