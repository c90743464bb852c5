//! Pages of the services' documentation that rules stand on.

/// "Handling errors in Step Functions workflows": names of errors, Retry, Catch.
pub const ERROR_HANDLING: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html";
/// "Control and limit retry calls" of the Well-Architected Framework: jitter, what to retry, retries in several layers.
pub const LIMIT_RETRIES: &str =
    "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_mitigate_interaction_failure_limit_retries.html";
/// "Starting new executions to avoid reaching the history quota".
pub const HISTORY_LIMIT: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-history-limit";
/// "Handle transient Lambda service exceptions".
pub const LAMBDA_EXCEPTIONS: &str =
    "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception";
/// "Using timeouts to avoid stuck Step Functions workflow executions".
pub const STUCK_EXECUTIONS: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#sfn-stuck-execution";
/// "Processing input and output", the fields of JSONPath.
pub const RESULT_PATH: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultpath.html";
/// "Service integration patterns": request response, run a job, wait for a callback.
pub const INTEGRATION_PATTERNS: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html";
/// "Integrating services": what can be called without a function.
pub const INTEGRATED_SERVICES: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html";
/// "Saga orchestration pattern" of the Prescriptive Guidance.
pub const SAGA: &str = "https://docs.aws.amazon.com/prescriptive-guidance/latest/cloud-design-patterns/saga-orchestration.html";
/// "State machine structure": StartAt, Next, the states.
pub const STRUCTURE: &str = "https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html";
