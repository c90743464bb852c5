//! Traces beside histories: which trace is an execution's, which spans are a visit's and an attempt's, and what the time of an
//! attempt went into.
//!
//! A history says when a task was scheduled, started and ended; a trace says what happened inside. The history is the truth: a trace is
//! sampled, cut when it grows large, and cannot be continued by every service, so what it lacks did not fail to happen.
//!
//! `outline` is what both histories and facts tell of an execution, `join` finds its trace, `place` gives spans to attempts, `parts`
//! divides an attempt's time, `report` tells it all, `evidence` what of it matters for a failure, and `fleet` what many of them say.

mod evidence;
mod join;
mod outline;
mod parts;
mod place;
mod report;

pub use evidence::{TraceAdvice, TraceEvidence, evidence};
pub use join::{Joined, TraceBasis, TraceIndex, Unjoined};
pub use outline::{Outline, OutlineAttempt, OutlineVisit};
pub use parts::{CallReport, ExceptionReport, FunctionReport, Parts};
pub use place::SpanBasis;
pub use report::{SpanReport, TraceReport, TracedAttempt, report};
