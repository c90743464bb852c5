//! Traces and spans, in the words of OpenTelemetry; X-Ray's segments and subsegments are spans as well.
//!
//! A trace holds its spans in a flat list whose entries name each other by position, so that nothing walks it by recursion. What
//! makes no tree (a parent that is missing, a span that is its own ancestor) stands at the root.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Micros;

/// The id of a trace: eight hexadecimal digits of epoch seconds, then 24 others.
///
/// Displays as X-Ray writes it, `1-5f84c7a1-0123456789abcdef01234567`; the W3C form without dashes and the header
/// `Root=1-…;Parent=…;Sampled=1` are read as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(String);

/// Text that names no trace.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no id of a trace; it looks like 1-5f84c7a1-0123456789abcdef01234567")]
pub struct TraceIdError(String);

impl TraceId {
    /// As X-Ray writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the trace began, to the second. Ids that OpenTelemetry made at random tell nothing true.
    pub fn time(&self) -> Option<Micros> {
        let seconds = i64::from_str_radix(self.0.get(2..10)?, 16).ok()?;
        Some(Micros(seconds.saturating_mul(1_000_000)))
    }
}

impl FromStr for TraceId {
    type Err = TraceIdError;

    fn from_str(text: &str) -> Result<Self, TraceIdError> {
        let refused = || TraceIdError(text.chars().take(80).collect());
        let root = text.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(text).trim();
        let digits: String = root.strip_prefix("1-").unwrap_or(root).chars().filter(|character| *character != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let digits = digits.to_ascii_lowercase();
        Ok(Self(format!("1-{}-{}", &digits[..8], &digits[8..])))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What happened while a request went through several services, as far as it was recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Its id; `None` where no document tells.
    pub id: Option<TraceId>,
    /// By start, then by id.
    pub spans: Vec<Span>,
    /// For each span the position of its parent; `None` at the root.
    pub parents: Vec<Option<usize>>,
    /// Spans whose parent is named and not there.
    pub orphans: usize,
    /// The service cut it because it grew too large.
    pub limit_exceeded: bool,
    /// What a listing said of it.
    pub summary: Option<TraceSummary>,
}

/// What a listing of traces says of one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "the flags are those of the service")]
pub struct TraceSummary {
    /// When it began.
    pub start: Option<Micros>,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// The root answered with 5xx.
    pub has_fault: bool,
    /// The root answered with 4xx.
    pub has_error: bool,
    /// Some span was throttled.
    pub has_throttle: bool,
    /// Some span is still in progress.
    pub is_partial: bool,
}

/// What a span is in the call that it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Work inside a service.
    #[default]
    Internal,
    /// A service answers a request.
    Server,
    /// A request to another service, as its caller sees it.
    Client,
    /// A message is sent.
    Producer,
    /// A message is taken.
    Consumer,
}

impl SpanKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    /// Whether it asks somebody else.
    pub fn is_outward(self) -> bool {
        matches!(self, Self::Client | Self::Producer)
    }
}

/// How a span went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// The caller's mistake: 4xx.
    pub error: bool,
    /// The service's: 5xx, or an exception of a function.
    pub fault: bool,
    /// Too many requests: 429, or a service's own word for it.
    pub throttle: bool,
}

impl Flags {
    /// Whether anything went wrong.
    pub fn any(self) -> bool {
        self.error || self.fault || self.throttle
    }

    /// What either says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { error: self.error || other.error, fault: self.fault || other.fault, throttle: self.throttle || other.throttle }
    }
}

/// An exception that a span recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanException {
    /// Its type, such as `ProvisionedThroughputExceededException`.
    pub kind: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// Whether it came from the service that was called.
    pub remote: bool,
}

/// A piece of work with a beginning and an end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Span {
    /// Sixteen hexadecimal digits; made up where a document names none.
    pub id: String,
    /// The span that it is a part of.
    pub parent_id: Option<String>,
    /// What it is called: a state, a function, a service.
    pub name: String,
    /// What it is in the call.
    pub kind: SpanKind,
    /// When it began.
    pub start: Option<Micros>,
    /// When it ended; `None` while it is in progress.
    pub end: Option<Micros>,
    /// How it went wrong.
    pub flags: Flags,
    /// What it threw, or was thrown at it.
    pub exceptions: Vec<SpanException>,
    /// Which kind of resource recorded it, such as `AWS::Lambda::Function`.
    pub origin: Option<String>,
    /// `aws` for calls of AWS, `remote` for others.
    pub namespace: Option<String>,
    /// The action of a call of AWS, such as `PutItem`.
    pub operation: Option<String>,
    /// What was called or what ran: a table, a queue, a function.
    pub resource: Option<String>,
    /// The id under which AWS knows the request.
    pub request_id: Option<String>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// How often the SDK tried again.
    pub retries: Option<u64>,
    /// Made by X-Ray for a service that sends none.
    pub inferred: bool,
    /// Whether it is a segment: the top of what one service recorded.
    pub is_segment: bool,
    /// ARN of an execution, where one stands in it.
    pub execution: Option<String>,
    /// Annotations and attributes: name and value, in the order of their names.
    pub attributes: Vec<(String, String)>,
}

impl Span {
    /// Milliseconds from start to end; negative when clocks disagree.
    pub fn duration_ms(&self) -> Option<f64> {
        Some(self.end?.milliseconds_since(self.start?))
    }

    /// Whether a state machine recorded it.
    pub fn is_of_state_machine(&self) -> bool {
        self.origin.as_deref().is_some_and(|origin| origin.starts_with("AWS::StepFunctions") || origin.starts_with("AWS::States"))
    }

    /// Whether it is that of Lambda itself, which queues a call and tries it again, rather than of the function.
    pub fn is_of_lambda(&self) -> bool {
        self.origin.as_deref() == Some("AWS::Lambda")
    }

    /// Whether a function's environment recorded it.
    pub fn is_of_function(&self) -> bool {
        self.origin.as_deref() == Some("AWS::Lambda::Function")
    }

    /// Code outside of the handler, which runs once for each environment. Its name differs between the generations of X-Ray.
    pub fn is_cold_start(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let name = name.strip_prefix("lambda ").unwrap_or(&name);
        !self.is_segment && (name.starts_with("init") || name.starts_with("restore"))
    }

    /// The handler.
    pub fn is_handler(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let name = name.strip_prefix("lambda ").unwrap_or(&name);
        !self.is_segment && (name.starts_with("invocation") || name.starts_with("invoke") || name.starts_with("handler"))
    }

    /// The runtime's work after the handler.
    pub fn is_overhead(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let name = name.strip_prefix("lambda ").unwrap_or(&name);
        !self.is_segment && name.starts_with("overhead")
    }
}

impl Trace {
    /// A trace of these spans. Of two with one id that which ended, or ended later, is kept: X-Ray sends a segment again when it
    /// is complete.
    pub fn new(id: Option<TraceId>, spans: Vec<Span>) -> Self {
        let mut by_id: HashMap<String, usize> = HashMap::with_capacity(spans.len());
        let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match by_id.get(&span.id) {
                Some(position) if kept[*position].end < span.end => kept[*position] = span,
                Some(_) => {}
                None => {
                    by_id.insert(span.id.clone(), kept.len());
                    kept.push(span);
                }
            }
        }
        kept.sort_by(|one, other| (one.start, &one.id).cmp(&(other.start, &other.id)));
        let by_id: HashMap<&str, usize> = kept.iter().enumerate().map(|(position, span)| (span.id.as_str(), position)).collect();
        let named = |span: &Span| span.parent_id.as_deref().and_then(|parent| by_id.get(parent)).copied();
        let mut parents: Vec<Option<usize>> = kept.iter().map(named).collect();
        let orphans = kept.iter().zip(&parents).filter(|(span, parent)| span.parent_id.is_some() && parent.is_none()).count();
        break_circles(&mut parents);
        Self { id, spans: kept, parents, orphans, limit_exceeded: false, summary: None }
    }

    /// For each span the positions of its children, by their start.
    pub fn children(&self) -> Vec<Vec<usize>> {
        let mut children = vec![Vec::new(); self.spans.len()];
        for (position, parent) in self.parents.iter().enumerate() {
            if let Some(list) = parent.and_then(|parent| children.get_mut(parent)) {
                list.push(position);
            }
        }
        children
    }

    /// The spans without a parent.
    pub fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.parents.iter().enumerate().filter(|(_, parent)| parent.is_none()).map(|(position, _)| position)
    }

    /// Whether a span is not complete yet.
    pub fn is_partial(&self) -> bool {
        self.spans.iter().any(|span| span.end.is_none()) || self.summary.is_some_and(|summary| summary.is_partial)
    }

    /// When the first span began.
    pub fn start(&self) -> Option<Micros> {
        self.spans.iter().filter_map(|span| span.start).min().or(self.summary.and_then(|summary| summary.start))
    }

    /// When the last span ended.
    pub fn end(&self) -> Option<Micros> {
        self.spans.iter().filter_map(|span| span.end).max()
    }
}

/// Makes roots of spans that are their own ancestors.
fn break_circles(parents: &mut [Option<usize>]) {
    const NEW: usize = 0;
    let mut seen = vec![NEW; parents.len()];
    for start in 0..parents.len() {
        let walk = start + 1;
        let mut at = start;
        while seen[at] == NEW {
            seen[at] = walk;
            match parents[at] {
                // Back on this very walk: a circle.
                Some(parent) if seen[parent] == walk => parents[at] = None,
                Some(parent) => at = parent,
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, parent: Option<&str>) -> Span {
        Span { id: id.to_owned(), parent_id: parent.map(str::to_owned), ..Span::default() }
    }

    #[test]
    fn every_form_of_an_id_names_one_trace() {
        let id: TraceId = "1-5f84c7a1-0123456789abcdef01234567".parse().expect("X-Ray's form");
        assert_eq!("5F84C7A10123456789ABCDEF01234567".parse(), Ok(id.clone()));
        assert_eq!("Root=1-5f84c7a1-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1".parse(), Ok(id.clone()));
        assert_eq!("Self=1-0-0;Root=1-5f84c7a1-0123456789abcdef01234567".parse(), Ok(id.clone()));
        assert_eq!(id.time(), Some(Micros(0x5f84_c7a1 * 1_000_000)));
        for text in ["", "1-2-3", "Root=", "1-5f84c7a1-0123456789abcdef0123456é", &"0".repeat(33)] {
            assert!(text.parse::<TraceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_without_their_parent_and_circles_stand_at_the_root() {
        let spans = vec![span("a", None), span("b", Some("a")), span("c", Some("gone")), span("d", Some("e")), span("e", Some("d"))];
        let trace = Trace::new(None, spans);
        assert_eq!((trace.orphans, trace.parents[1], trace.parents[2]), (1, Some(0), None));
        let of_circle = [trace.parents[3], trace.parents[4]];
        assert_eq!(of_circle.iter().filter(|parent| parent.is_none()).count(), 1, "{of_circle:?}");
        assert_eq!(Trace::new(None, vec![span("a", Some("a"))]).roots().count(), 1);
    }

    #[test]
    fn a_segment_that_comes_again_complete_takes_the_place_of_the_first() {
        let begun = Span { start: Some(Micros(5)), ..span("a", None) };
        let ended = Span { end: Some(Micros(9)), ..begun.clone() };
        for spans in [vec![begun.clone(), ended.clone()], vec![ended.clone(), begun]] {
            assert_eq!(Trace::new(None, spans).spans, std::slice::from_ref(&ended));
        }
    }

    #[test]
    fn phases_of_a_function_are_told_by_the_beginning_of_their_names() {
        let named = |name: &str| Span { name: name.to_owned(), ..Span::default() };
        assert!(["Init", "Initialization", "lambda init", "Lambda Initialization"].iter().all(|name| named(name).is_cold_start()));
        assert!(["Invocation", "Lambda invocation", "Invoke"].iter().all(|name| named(name).is_handler()));
        assert!(named("overhead").is_overhead() && !named("Charge").is_handler());
        assert!(!Span { is_segment: true, ..named("Initialize") }.is_cold_start(), "a function may be called so");
    }
}
