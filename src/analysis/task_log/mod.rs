//! The log of the task that failed: where it is, which of its lines belong to the failure, what they say.
//!
//! Asking CloudWatch Logs is the caller's work: a [`LogQuestion`] says what to ask for, and the lines that come are handed to a reader
//! one by one, so that a log of any size is read in little memory.
//!
//! | the task                             | log group                     | lines are found by                       | read by                |
//! |--------------------------------------|-------------------------------|------------------------------------------|------------------------|
//! | a Lambda function, request id known  | `/aws/lambda/<name>`          | the request id, then stream and time     | [`InvocationReader`]   |
//! | a Lambda function, no request id     | the same                      | the invocations of that time ([`choose`]) | [`InvocationReader`]   |
//! | a job of Batch, Glue, CodeBuild      | in the cause, or the default  | the stream that the cause names          | [`StreamReader`]       |
//! | a job of SageMaker, a task of ECS    | by kind; for ECS it is asked  | streams that begin or end with its name  | [`StreamReader`]       |
//!
//! The platform's own lines (START, END, REPORT) become fields; what the function wrote is kept as it is.

mod choose;
mod function_name;
mod invocation;
mod kept;
mod line;
mod question;
mod report;
mod stream;
mod task;

pub use choose::{Choice, Invocation, Invocations, choose};
pub use function_name::FunctionName;
pub use invocation::{InvocationLog, InvocationReader};
pub use line::is_report;
pub use question::{Ask, LogQuestion, NoLog, Search, Streams, question};
pub use report::{FunctionOutcome, FunctionReport, LogBasis, LogLine, Logged, TaskLog};
pub use stream::{StreamLog, StreamReader};

#[cfg(test)]
mod tests;
