//! A downstream service that Tasks call: how long it takes, what it can bear, how it fails.
//!
//! Calls are told in the order of time, so load is that of all executions: calls beyond `concurrent` queue, calls beyond
//! `per_second` are refused. Faults begin at a moment that was fixed beforehand; a call under way at that moment is cut.
//!
//! | when the call begins     | and then             | it                                                     |
//! |--------------------------|----------------------|--------------------------------------------------------|
//! | during an outage         |                      | is refused soon                                        |
//! | over the rate            |                      | is throttled at once                                   |
//! | during a hang            |                      | gives no answer, or one when the hang ends             |
//! | with a rejected value    |                      | fails after the time a call takes                      |
//! | else                     | an outage begins     | is cut with the outage's error                         |
//! | else                     |                      | fails by the ordinary share of failures, or answers    |

use std::time::Duration;

use crate::expr::Value;
use crate::interpreter::{TaskAnswer, TaskOutcome};
use crate::model::{EventType, Timestamp};

use super::random::{Draw, Key};

/// A lognormal time.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// The median in milliseconds.
    pub median_ms: f64,
    /// Standard deviation of the logarithm: 0.3 is a steady service, 1 a wild one.
    pub sigma: f64,
}

/// An error with what it says.
#[derive(Debug, Clone)]
pub struct ErrorSaid {
    /// The error name.
    pub error: &'static str,
    /// The cause; `{id}` becomes a request id, `{number}` some number.
    pub cause: &'static str,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    /// As requests name it: a function, a table, a topic, a bucket.
    pub name: &'static str,
    /// How long a call takes.
    pub takes: Spread,
    /// Some calls take much longer, such as those that find no warm instance: their share, and how many times as long.
    pub cold: Option<(f64, f64)>,
    /// How much longer calls take at the busiest hour of the day, 14:00 UTC, and how much less at night, as a share.
    pub by_day: f64,
    /// How much the time of calls differs from one quarter of an hour to the next: the standard deviation of its logarithm.
    pub weather: f64,
    /// Calls served at the same time; more wait in a queue. `None` for any number.
    pub concurrent: Option<usize>,
    /// Calls taken in a second, and as many at once; more are throttled. `None` for any number.
    pub per_second: Option<f64>,
    /// What a throttled call is told.
    pub throttled: ErrorSaid,
    /// Failures that just happen, each with its share of the calls.
    pub failures: Vec<(ErrorSaid, f64)>,
    /// Answers as JSON, each with its weight.
    pub answers: Vec<(f64, &'static str)>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// Something that goes wrong with a service.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `Timestamp::MAX` for good.
    pub to: Timestamp,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum FaultKind {
    /// Calls under way are cut within `spread_ms`, and a share of new ones is refused.
    #[allow(missing_docs, reason = "said above")]
    Outage { said: ErrorSaid, spread_ms: f64, share: f64 },
    /// Calls get no answer; when the hang ends those still waiting are answered.
    Hang,
    /// Calls take this many times as long.
    Slow(f64),
    /// Calls whose payload has this text as this member fail, for a share of them.
    #[allow(missing_docs, reason = "said above")]
    Rejects { member: &'static str, value: &'static str, said: ErrorSaid, share: f64 },
    /// A share of all calls fails.
    #[allow(missing_docs, reason = "said above")]
    Fails { said: ErrorSaid, share: f64 },
}

/// A service that takes calls.
#[derive(Debug, Clone)]
pub(super) struct Serving {
    /// When each of those that serve is free again, in milliseconds since the epoch.
    free: Vec<i64>,
    tokens: f64,
    filled: i64,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub at: Timestamp,
    pub input: &'a Value,
    pub key: Key,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub answer: TaskAnswer,
    /// Which of the service's faults is to blame.
    pub fault: Option<usize>,
}

impl Fault {
    fn holds(&self, at: i64) -> bool {
        self.from.as_millisecond() <= at && at < self.to.as_millisecond()
    }
}

impl Service {
    /// One that answers `{}` and never fails.
    pub fn steady(name: &'static str, median_ms: f64) -> Self {
        Self {
            name,
            takes: Spread { median_ms, sigma: 0.35 },
            cold: None,
            by_day: 0.0,
            weather: 0.0,
            concurrent: None,
            per_second: None,
            throttled: ErrorSaid { error: "Lambda.TooManyRequestsException", cause: THROTTLED },
            failures: Vec::new(),
            answers: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Which answers, with their weights.
    #[must_use]
    pub fn answering(mut self, answers: &[(f64, &'static str)]) -> Self {
        self.answers = answers.to_vec();
        self
    }

    /// How far the times of calls spread.
    #[must_use]
    pub fn spread(mut self, sigma: f64) -> Self {
        self.takes.sigma = sigma;
        self
    }

    /// A share of the calls fails now and then.
    #[must_use]
    pub fn failing(mut self, error: &'static str, cause: &'static str, share: f64) -> Self {
        self.failures.push((ErrorSaid { error, cause }, share));
        self
    }

    /// Something goes wrong from a moment to another.
    #[must_use]
    pub fn fault(mut self, kind: FaultKind, from: Timestamp, to: Timestamp) -> Self {
        self.faults.push(Fault { kind, from, to });
        self
    }

    fn takes_ms(&self, at: i64, draw: &mut Draw) -> f64 {
        let mut takes = draw.lognormal(self.takes.median_ms, self.takes.sigma);
        if let Some((share, times)) = self.cold
            && draw.chance(share)
        {
            takes *= times;
        }
        if self.by_day > 0.0 {
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of a day")]
            let hour = at.rem_euclid(86_400_000) as f64 / 3_600_000.0;
            takes *= 1.0 + self.by_day * (std::f64::consts::TAU * (hour - 14.0) / 24.0).cos();
        }
        if self.weather > 0.0 {
            let quarter = Key::new(at.div_euclid(900_000).unsigned_abs()).text(self.name);
            takes *= quarter.draw().lognormal(1.0, self.weather);
        }
        for fault in &self.faults {
            if let (FaultKind::Slow(factor), true) = (&fault.kind, fault.holds(at)) {
                takes *= factor;
            }
        }
        takes
    }

    /// The failure that a call which began at `at` meets by itself, and which fault it comes from.
    fn own_failure(&self, call: &Call<'_>, at: i64, draw: &mut Draw) -> Option<(&ErrorSaid, Option<usize>)> {
        for (position, fault) in self.faults.iter().enumerate() {
            let met = match &fault.kind {
                FaultKind::Rejects { member, value, said, share } if text_of(call.input, member) == Some(value) => Some((said, *share)),
                FaultKind::Fails { said, share } => Some((said, *share)),
                _ => None,
            };
            if let Some((said, share)) = met
                && fault.holds(at)
                && draw.chance(share)
            {
                return Some((said, Some(position)));
            }
        }
        let mut left = draw.uniform();
        self.failures
            .iter()
            .find(|(_, share)| {
                left -= share;
                left < 0.0
            })
            .map(|(said, _)| (said, None))
    }
}

const THROTTLED: &str = "Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: {id}) (SDK Attempt Count: 1)";

impl Serving {
    pub fn new(service: &Service) -> Self {
        Self { free: vec![i64::MIN; service.concurrent.unwrap_or(0)], tokens: service.per_second.unwrap_or(0.0), filled: i64::MIN }
    }

    /// Takes a call; they come in the order of time.
    pub fn take(&mut self, service: &Service, call: &Call<'_>) -> Served {
        let mut draw = call.key.draw();
        let started = draw.between(8.0, 40.0).round();
        let begins = call.at.as_millisecond().saturating_add(whole(started));
        let failed = |said: &ErrorSaid, after: f64, fault: Option<usize>, draw: &mut Draw| Served {
            answer: answer(started, after, failure(said, draw)),
            fault,
        };
        for (position, fault) in service.faults.iter().enumerate() {
            if let FaultKind::Outage { said, share, .. } = &fault.kind
                && fault.holds(begins)
                && draw.chance(*share)
            {
                let after = draw.lognormal(60.0, 0.5);
                return failed(said, after, Some(position), &mut draw);
            }
        }
        if !self.admits(service, begins) {
            // The load is a fault's when it comes of its retries: while it lasts, and half an hour on.
            let aftermath = |fault: &Fault| {
                let (from, to) = (fault.from.as_millisecond(), fault.to.as_millisecond().saturating_add(1_800_000));
                matches!(fault.kind, FaultKind::Outage { .. } | FaultKind::Hang) && (from..to).contains(&begins)
            };
            let fault = service.faults.iter().position(aftermath);
            let after = draw.lognormal(25.0, 0.3);
            return failed(&service.throttled, after, fault, &mut draw);
        }
        let takes = service.takes_ms(begins, &mut draw).max(1.0);
        let queued = self.queue(begins, takes);
        let mut ends = begins.saturating_add(whole(queued + takes));
        if let Some((position, hang)) =
            service.faults.iter().enumerate().find(|(_, fault)| matches!(fault.kind, FaultKind::Hang) && fault.holds(begins))
        {
            if hang.to == Timestamp::MAX {
                return Served { answer: TaskAnswer { started: Some(after(started)), ..TaskAnswer::default() }, fault: Some(position) };
            }
            ends = hang.to.as_millisecond().saturating_add(whole(takes));
        }
        let cut = service.faults.iter().enumerate().find_map(|(position, fault)| match &fault.kind {
            FaultKind::Outage { said, spread_ms, .. } if (begins..ends).contains(&fault.from.as_millisecond()) => {
                Some((position, said, fault.from.as_millisecond(), *spread_ms))
            }
            _ => None,
        });
        if let Some((position, said, at, spread)) = cut {
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of a call")]
            let after = (at - begins) as f64 + draw.between(0.0, spread.max(1.0));
            return failed(said, after, Some(position), &mut draw);
        }
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a call")]
        let lasts = (ends - begins) as f64;
        if let Some((said, fault)) = service.own_failure(call, begins, &mut draw) {
            let after = lasts * draw.between(0.3, 1.0);
            return failed(said, after, fault, &mut draw);
        }
        let slowed =
            service.faults.iter().position(|fault| matches!(fault.kind, FaultKind::Slow(_) | FaultKind::Hang) && fault.holds(begins));
        Served { answer: answer(started, lasts, TaskOutcome::Succeeded(reply(service, &mut draw))), fault: slowed }
    }

    /// Whether the rate lets the call through: a bucket that holds a second's worth.
    fn admits(&mut self, service: &Service, at: i64) -> bool {
        let Some(rate) = service.per_second else { return true };
        #[allow(clippy::cast_precision_loss, reason = "milliseconds between calls")]
        let passed = at.saturating_sub(self.filled).max(0) as f64 / 1000.0;
        self.tokens = (self.tokens + passed * rate).min(rate.max(1.0));
        self.filled = self.filled.max(at);
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }

    /// How long the call waits for somebody to serve it, in milliseconds.
    fn queue(&mut self, at: i64, takes: f64) -> f64 {
        let Some(free) = self.free.iter_mut().min() else { return 0.0 };
        let begins = at.max(*free);
        *free = begins.saturating_add(whole(takes));
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a queue")]
        let waits = begins.saturating_sub(at) as f64;
        waits
    }
}

fn reply(service: &Service, draw: &mut Draw) -> Value {
    let position = draw.weighted(service.answers.iter().map(|(weight, _)| *weight));
    service.answers.get(position).and_then(|(_, text)| Value::parse(text).ok()).unwrap_or_else(|| Value::object::<&str>([]))
}

/// The failure event of `said`, its marks filled in.
pub(super) fn failure(said: &ErrorSaid, draw: &mut Draw) -> TaskOutcome {
    let mut cause = said.cause.to_owned();
    if cause.contains("{id}") {
        cause = cause.replace("{id}", &draw.uuid());
    }
    if cause.contains("{number}") {
        cause = cause.replace("{number}", &(100 + draw.below(9_900)).to_string());
    }
    TaskOutcome::Failed { event: EventType::TaskFailed, error: Some(said.error.into()), cause: Some(cause.into()) }
}

fn answer(started: f64, lasts: f64, outcome: TaskOutcome) -> TaskAnswer {
    TaskAnswer { started: Some(after(started)), ended: Some((after(lasts.max(1.0)), outcome)), ..TaskAnswer::default() }
}

/// A text member of the input, or of the `Payload` or `Input` inside it.
fn text_of<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    let inside = ["Payload", "Input", "MessageBody"].iter().find_map(|name| input.get(name)?.get(member));
    inside.or_else(|| input.get(member))?.as_str()
}

/// Whole milliseconds, which is what the service counts.
pub(super) fn whole(milliseconds: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let whole = milliseconds.round() as i64;
    whole
}

/// As a duration of whole milliseconds.
pub(super) fn after(milliseconds: f64) -> Duration {
    Duration::from_millis(u64::try_from(whole(milliseconds)).unwrap_or(0))
}
