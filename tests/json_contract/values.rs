//! The values of enums.

use crate::page::Page;
use serde::Serialize;
use stepscope::analysis::audit::rule::Level as AuditLevel;
use stepscope::analysis::callbacks::{DeadlineBy, Verdict as WaitVerdict, WaitsFor as WaitKind};
use stepscope::analysis::changes::{Direction as ChangeDirection, Season, Shape as ChangeShape, Signal as ChangeSignal, What as Deployed};
use stepscope::analysis::compare::{Kind as AttributeKind, Reason, Relation};
use stepscope::analysis::cost::{ConditionId, Item, PeriodLength};
use stepscope::analysis::execution::WaitsFor;
use stepscope::analysis::finding::{Confidence as FindingConfidence, Severity as FindingSeverity};
use stepscope::analysis::latency::{By, Compared as LatencyCompared, Verdict as LatencyVerdict};
use stepscope::analysis::maps::Lack;
use stepscope::analysis::pull::{Missing, PlaceOutcome};
use stepscope::analysis::replay::{Chance, Change, DefinitionSource, Verdict};
use stepscope::analysis::runway::{Growth, Limit, LimitSource, Period, RunwayBasis};
use stepscope::analysis::show::ScopeKind;
use stepscope::analysis::storms::remedy::{DefinitionBasis, Verdict as RemedyVerdict};
use stepscope::analysis::storms::{Pattern as StormPattern, Spread};
use stepscope::analysis::task_log::{FunctionOutcome, LogBasis, Logged};
use stepscope::analysis::trace::{SpanBasis, SpanRole, TraceBasis};
use stepscope::analysis::variants::EdgeKind;
use stepscope::analysis::why::{Basis, Confidence, Kind};
use stepscope::asl::check::{Code, MachineType, Severity};
use stepscope::model::history::LoggedLevel;
use stepscope::model::path::{AttemptOutcome, VisitOutcome};
use stepscope::model::span::SpanKind;
use stepscope::model::{EventId, ExecutionStatus, Gap, StateType};
use stepscope::sources::insights::ColumnKind;
use stepscope::store::maintain::FindingKind;

/// Lists the variants of an enum; one that is missing does not compile.
macro_rules! all {
    ($kind:ident: $($variant:ident),*) => {{
        let all = [$($kind::$variant),*];
        for one in all {
            match one {
                $($kind::$variant => {})*
            }
        }
        all.iter().map(word).collect::<Vec<String>>()
    }};
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).expect("a word").as_str().expect("a string").to_owned()
}

#[test]
fn the_page_has_every_value_of_every_enum_and_no_other() {
    let page = Page::read();
    let enums = [
        ("Status", all!(ExecutionStatus: Running, Succeeded, Failed, TimedOut, Aborted, PendingRedrive)),
        ("State type", all!(StateType: Task, Choice, Wait, Pass, Parallel, Map, Succeed, Fail)),
        (
            "Kind",
            all!(Kind: TaskFailed, TaskTimedOut, HeartbeatTimedOut, ScheduleFailed, EvaluationFailed, Runtime, FailState, MapFailed, Limit, Aborted, ExecutionTimedOut),
        ),
        ("Basis", all!(Basis: TaskChain, EvaluationEvent, CauseText, FailState, NearestVisit, ExecutionEvent)),
        ("Logged task", Logged::ALL.iter().map(word).collect()),
        ("Log basis", all!(LogBasis: RequestId, TimeWindow, Stream)),
        ("Function outcome", FunctionOutcome::ALL.iter().map(word).collect()),
        ("Confidence", all!(Confidence: Certain, Likely, Guess)),
        ("Visit outcome", all!(VisitOutcome: Open, Succeeded, Caught, Failed, Aborted)),
        ("Attempt outcome", all!(AttemptOutcome: Open, Succeeded, Failed, TimedOut, Aborted)),
        (
            "Waits for",
            all!(WaitsFor: Time, Callback, ChildExecution, Job, Task, TaskStart, ActivityWorker, Activity, Retry, Scopes, MapRun, Unknown),
        ),
        ("Verdict", all!(Verdict: Reproduced, Diverged, NotReplayable)),
        ("Definition source", all!(DefinitionSource: Recorded, Given, Missing)),
        ("Value of chance", all!(Chance: Name, Random, Time)),
        ("Change", all!(Change: Definition, Input, Answers)),
        ("Edge kind", all!(EdgeKind: Start, Next, Catch, End, Fail, Stop, Open)),
        ("Variant row kind", ["step", "loop", "branch", "iterations", "more"].map(str::to_owned).to_vec()),
        ("Latency by", all!(By: Hour, Version)),
        ("Latency compared", all!(LatencyCompared: WindowBefore, Halves)),
        ("Latency verdict", all!(LatencyVerdict: Slower, Faster, NoChange, TooFew)),
        ("Wait verdict", WaitVerdict::ALL.iter().map(word).collect()),
        ("Wait kind", WaitKind::ALL.iter().map(word).collect()),
        ("Deadline by", DeadlineBy::ALL.iter().map(word).collect()),
        ("Trace basis", all!(TraceBasis: TraceHeader, ExecutionArn, ResponseHeader, RequestId, TimeAndName)),
        ("Span basis", all!(SpanBasis: RequestId, Time, OneOfSeveral)),
        ("Span kind", all!(SpanKind: Internal, Server, Client, Producer, Consumer)),
        ("Span role", all!(SpanRole: Service, Function, Init, Handler, Overhead)),
        ("Scope kind", all!(ScopeKind: Execution, Branch, Iteration)),
        ("Attribute kind", all!(AttributeKind: Input, Outcome, Path, Execution, Time)),
        ("Relation", all!(Relation: Equal, Contains, Above, AtMost, HasType, HasOtherType, Present, Absent, From, Before, Within)),
        ("Reason not tested", all!(Reason: Identifier, TooManyValues, Selected)),
        (
            "Lack",
            all!(Lack: ExecutionNotRead, ChildrenNotRead, ChildrenRead, ResultsNotRead, ResultsBroken, ResultsDamaged, ResultsSize, NoManifest, SucceededNotRead, OutputsOnly, CountsDiffer, ItemsWithoutChild, ChildrenNotListed, ChildrenNotDescribed, ChildNotRead, PendingInputsNotKnown),
        ),
        ("Machine type", all!(MachineType: Standard, Express)),
        ("Severity", all!(Severity: Error, Warning)),
        ("Finding severity", all!(FindingSeverity: Critical, Warning, Notice)),
        ("Finding confidence", all!(FindingConfidence: Certain, Strong, Weak)),
        ("Signal", all!(ChangeSignal: Latency, ErrorRate, NewError, RetryRate)),
        ("Shape", all!(ChangeShape: Step, Episode, Blip, Tail)),
        ("Direction", all!(ChangeDirection: Up, Down)),
        ("Season", all!(Season: HourOfDayTakenOut, TooShort)),
        ("Deployed", all!(Deployed: Version, Alias, Definition)),
        ("Runway limit", all!(Limit: Events, Duration, Payload)),
        ("Runway limit source", all!(LimitSource: Service, Definition)),
        ("Runway basis", all!(RunwayBasis: Running, Reached, Trend, Level)),
        ("Runway growth", all!(Growth: Loop, Map)),
        ("Runway period", all!(Period: Hour, Day)),
        ("Audit level", all!(AuditLevel: Error, Warning, Note)),
        (
            "Condition id",
            all!(ConditionId: TooLong, Callbacks, Jobs, ChildExecutions, Activities, DistributedMap, AtLeastOnce, HistoryInLogs, SynchronousStart, StartRate),
        ),
        ("Priced item", all!(Item: Transition, Request, GbHour, LogsGb)),
        ("Period", all!(PeriodLength: Day, Hour)),
        (
            "Diagnostic code",
            all!(Code: InvalidJsonDescription, MissingDescription, SchemaValidationFailed, InvalidResource, MissingEndState, DuplicateStateName, InvalidStateName, DuplicateLabelName, InvalidLabelName, MissingTransitionTarget, TooDeeplyNested, InvalidJsonataExpression, UnsupportedJsonataExpression, NoDollar, NoPath, PassResultIsStatic, ReservedErrorName),
        ),
        ("Query column kind", all!(ColumnKind: Text, Number, Time)),
        ("Store finding kind", all!(FindingKind: Damaged, Missing, Orphan, Foreign)),
        ("Place outcome", all!(PlaceOutcome: Done, Interrupted, BrokeOff, Failed, SameAccount, Claimed)),
        ("Missing part", all!(Missing: Place, Tags, Listing, Express, Gone, Histories, Rest, Definition, Logs, NotLogged)),
        ("Storm pattern", all!(StormPattern: Lockstep, Jittered, OneByOne, Unclear)),
        ("Definition basis", all!(DefinitionBasis: InForce, OnFile)),
        ("Wait spread", all!(Spread: None, Full, Unclear)),
        ("Remedy verdict", all!(RemedyVerdict: ChangeRetry, ChangeWait, ChangedSince, SpreadAlready, NoDefinition)),
        ("Gap", every_gap().iter().map(|gap| gap.id().to_owned()).collect()),
    ];
    for (heading, values) in enums {
        assert_eq!(page.values[heading], values, "{heading}");
    }
}

/// One of each kind; the match makes a new kind an error until it stands here as well.
fn every_gap() -> Vec<Gap> {
    let first = EventId(1);
    let gaps = vec![
        Gap::NoEvents,
        Gap::MissingEvents { first, last: first },
        Gap::MorePages,
        Gap::NotFetched { what: String::new(), reason: String::new() },
        Gap::ConflictingEvents { id: first },
        Gap::NoEnd,
        Gap::PayloadsLeftOut,
        Gap::TruncatedPayloads { events: 1 },
        Gap::StructuredPayloads { events: 1 },
        Gap::NoTimestamps { events: 1 },
        Gap::NoIds { events: 1 },
        Gap::UnknownTypes { events: 1, example: String::new() },
        Gap::MissingDetails { events: 1 },
        Gap::BrokenLinks { events: 1, first },
        Gap::UnplacedEvents { events: 1, first },
        Gap::ChildNotRead { execution: String::new(), reason: None },
        Gap::LoggedOnly { level: LoggedLevel::Error },
        Gap::NoEndLogged,
        Gap::RepeatedEvents { events: 1, first },
        Gap::NoDefinition { reason: None },
        Gap::OtherDefinition { reason: String::new() },
        Gap::NoTrace { reason: String::new() },
    ];
    for gap in &gaps {
        match gap {
            Gap::NoEvents
            | Gap::MissingEvents { .. }
            | Gap::MorePages
            | Gap::NotFetched { .. }
            | Gap::ConflictingEvents { .. }
            | Gap::NoEnd
            | Gap::PayloadsLeftOut
            | Gap::TruncatedPayloads { .. }
            | Gap::StructuredPayloads { .. }
            | Gap::NoTimestamps { .. }
            | Gap::NoIds { .. }
            | Gap::UnknownTypes { .. }
            | Gap::MissingDetails { .. }
            | Gap::BrokenLinks { .. }
            | Gap::UnplacedEvents { .. }
            | Gap::ChildNotRead { .. }
            | Gap::LoggedOnly { .. }
            | Gap::NoEndLogged
            | Gap::RepeatedEvents { .. }
            | Gap::NoDefinition { .. }
            | Gap::OtherDefinition { .. }
            | Gap::NoTrace { .. } => {}
        }
    }
    gaps
}
