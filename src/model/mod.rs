//! What every stage talks about: events, executions, the rebuilt path, time.
//!
//! Knows nothing of files, sockets, clocks or screens.

pub mod arn;
pub mod builder;
pub mod completeness;
pub mod digits;
pub mod event;
pub mod event_type;
pub mod facts;
pub mod hashed;
pub mod history;
pub mod map_run;
pub mod money;
pub mod path;
pub mod span;
pub mod text;
pub mod time;
pub mod wire;

pub use arn::{ExecutionArn, StateMachineArn, execution_name, last_part, machine_name};
pub use completeness::Completeness;
pub use digits::thousands;
pub use event::{Details, EventId, HistoryEvent, Payload};
pub use event_type::{EventType, Role, StateType};
pub use facts::{AttemptFacts, ExecutionFacts, FailureFacts, VisitFacts};
pub use history::{ExecutionHeader, ExecutionStatus, Gap, History, Origin};
pub use map_run::{MapChild, MapRun, MapRunCounts, MapRunName};
pub use money::Usd;
pub use path::ExecutionPath;
pub use span::{Span, Trace, TraceId};
pub use text::RawText;
pub use time::{Micros, Timestamp};
