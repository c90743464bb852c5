//! Rows and findings of a class.

use super::clock::Clock;
use super::judge::{self, ENOUGH, FEWEST, Judged, LATE, LOST, Opinion};
use super::limits::{Limits, MachineLimits};
use super::report::{Between, LawPart, Plateau, Stopped, StuckCallback, Verdict, WaitClass, WaitEvidence, Waiting, WorkingHours};
use super::waits::{Key, Waits, bounded};
use super::{release, survival, words};
use crate::analysis::execution::quoted;
use crate::analysis::finding::{Common, Confidence, NotEnough, Severity, Step};
use crate::analysis::observed::Observed;
use crate::analysis::why::NextCommand;
use crate::model::Micros;

/// A curve has at most so many steps in a report.
const STEPS: usize = 60;
/// So many stuck waits of one state are more than an accident.
const MANY: u64 = 3;
/// Hours in a week: by then every hour was seen once.
const WEEK: u64 = 168;
/// Strong confidence: so many healthy waits as old as this at most are to be expected. See [`Confidence::Strong`].
const STRONG: f64 = 1e-4;

/// What a class gives.
pub(super) struct OfClass {
    pub row: WaitClass,
    pub waiting: Vec<Draft>,
    pub not_enough: Option<NotEnough>,
}

/// An open wait on its way to the report.
pub(super) struct Draft {
    pub waiting: Waiting,
    /// Position of its execution.
    pub execution: u32,
    /// Whether it is what a child waits for that is stuck.
    pub is_inherited: bool,
}

/// Judges a class.
pub(super) fn class(observed: &Observed, key: &Key<'_>, waits: &Waits<'_>, machines: &MachineLimits<'_>, now: Micros) -> OfClass {
    let now_bounded = bounded(now);
    let judged = judge::judge(&waits.spans, &waits.is_open, now_bounded);
    let mut row = row(key, waits, judged.as_ref());
    let opinions = judged.as_ref().map_or(&[][..], |judged| &judged.open);
    let mut opinions = opinions.iter().peekable();
    let mut drafts = Vec::new();
    for at in (0..waits.spans.len()).filter(|at| waits.is_open[*at]) {
        let opinion = opinions.next_if(|opinion| opinion.at == at);
        let attempt = waits.attempts[at];
        let execution = observed.execution_of(attempt);
        let limits = Limits::of(attempt, execution, key.waits_for, machines.of(execution));
        let since = Micros(waits.spans[at].from);
        let is_by_hours = judged.as_ref().is_some_and(|judged| judged.clock != Clock::Wall);
        let mut waiting = Waiting {
            verdict: Verdict::Unknown,
            state_machine: row.state_machine.clone(),
            state: row.state.clone(),
            execution: observed.text(execution.arn).to_owned(),
            waits_for: key.waits_for,
            resource: row.resource.clone(),
            since,
            age_ms: Micros(now_bounded).milliseconds_since(since).max(0.0),
            working_age_ms: opinion.filter(|_| is_by_hours).map(|opinion| opinion.age_ms),
            survival: opinion.map(|opinion| opinion.survival),
            answer_probability: opinion.map(|opinion| 1.0 - opinion.lost),
            expected_as_old: opinion.map(|opinion| opinion.expected_as_old),
            deadline: limits.deadline,
            deadline_by: limits.by,
            timeout_seconds: limits.timeout_seconds,
            heartbeat_seconds: limits.heartbeat_seconds,
            machine_timeout_seconds: limits.machine_timeout_seconds,
            scheduled_event_id: attempt.scheduled_event_id.map(u64::from),
            attempt: attempt.number,
            redrive: attempt.redrive,
            child: attempt.child.map(|child| observed.text(child).to_owned()),
            child_verdict: None,
            worker: None,
            others: 0,
            incomplete: execution.incomplete,
            grounds: Vec::new(),
            release: String::new(),
        };
        waiting.verdict = verdict(&waiting, opinion, &limits, row.answered, now);
        if opinion.is_some_and(|opinion| opinion.is_in_stop) && waiting.verdict == Verdict::Stuck {
            // Nobody answers at all: what the age of this one says is not what counts.
            waiting.answer_probability = row.stopped.map(|stopped| stopped.chance.min(waiting.answer_probability.unwrap_or(1.0)));
        }
        waiting.grounds = words::grounds(&waiting, &row, opinion, &limits, now);
        waiting.release = release::command(&waiting);
        drafts.push(Draft { waiting, execution: attempt.execution, is_inherited: false });
    }
    count(&mut row, &mut drafts);
    let lack = |has: u64, needs: u64, of: &'static str| NotEnough {
        question: "callbacks",
        state_machine: row.state_machine.clone(),
        state: Some(row.state.clone()),
        has,
        needs,
        of,
    };
    let not_enough = if row.answered < ENOUGH as u64 && row.open > 0 {
        Some(lack(row.answered, ENOUGH as u64, "completed waits"))
    } else {
        let hours = hours_seen(waits, now_bounded);
        let is_untold = hours < WEEK && judged.as_ref().is_some_and(|judged| is_silence_untold(judged, &drafts));
        is_untold.then(|| lack(hours, WEEK, "hours of waits, to tell a stop from a night or a weekend"))
    };
    OfClass { row, waiting: drafts, not_enough }
}

/// Whether waits would be stuck if silent hours counted at which nobody was seen at work before.
fn is_silence_untold(judged: &Judged, drafts: &[Draft]) -> bool {
    let is_old = |draft: &Draft| draft.waiting.age_ms > judged.limit_ms && draft.waiting.verdict != Verdict::Stuck;
    matches!(judged.clock, Clock::Known(_)) && judged.stopped.is_none() && drafts.iter().any(is_old)
}

/// Hours since the first wait, whole ones.
fn hours_seen(waits: &Waits<'_>, now: i64) -> u64 {
    let first = waits.spans.iter().map(|span| span.from).min().unwrap_or(now);
    u64::try_from(now.saturating_sub(first) / 3_600_000_000).unwrap_or(0)
}

fn verdict(waiting: &Waiting, opinion: Option<&Opinion>, limits: &Limits, answered: u64, now: Micros) -> Verdict {
    if limits.deadline.is_some_and(|deadline| deadline < now) {
        // It has ended: the history is older than its end.
        return Verdict::Unknown;
    }
    let Some(opinion) = opinion else {
        // No baseline: a time limit that is half over is all there is to go by.
        let limit = waiting.timeout_seconds.or(waiting.machine_timeout_seconds);
        let is_half_over = limit.is_some_and(|seconds| waiting.age_ms > 500.0 * seconds_to_f64(seconds));
        return if is_half_over && waiting.heartbeat_seconds.is_none() { Verdict::Late } else { Verdict::Unknown };
    };
    let is_stuck = opinion.is_stuck || opinion.is_in_stop;
    match () {
        () if is_stuck && limits.is_watched(waiting.waits_for) => Verdict::Late,
        () if is_stuck => Verdict::Stuck,
        () if opinion.survival <= LATE => Verdict::Late,
        () if answered < FEWEST as u64 => Verdict::Unknown,
        () => Verdict::Normal,
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds of a time limit, 99,999,999 at most")]
fn seconds_to_f64(seconds: u64) -> f64 {
    seconds as f64
}

/// Counts verdicts.
pub(super) fn count(row: &mut WaitClass, drafts: &mut [Draft]) {
    let of = |verdict: Verdict| drafts.iter().filter(|draft| draft.waiting.verdict == verdict).count() as u64;
    (row.stuck, row.late, row.unknown) = (of(Verdict::Stuck), of(Verdict::Late), of(Verdict::Unknown));
    row.open = drafts.len() as u64;
    let stuck = drafts.iter().filter(|draft| draft.waiting.verdict == Verdict::Stuck);
    row.stuck_since = stuck.map(|draft| draft.waiting.since).min();
    for draft in drafts {
        draft.waiting.others = row.open.saturating_sub(1);
    }
}

fn row(key: &Key<'_>, waits: &Waits<'_>, judged: Option<&Judged>) -> WaitClass {
    let (answered, open) = Clock::Wall.ages(&waits.spans);
    let curve = survival::curve(&answered, &open);
    let plateau = survival::plateau(&curve).filter(|(share, ..)| *share > 0.0);
    let enough = judged.filter(|_| answered.len() >= ENOUGH);
    WaitClass {
        state_machine: key.machine.map(str::to_owned),
        state: key.state.to_owned(),
        waits_for: key.waits_for,
        resource: key.resource.map(str::to_owned),
        answered: answered.len() as u64,
        unanswered: waits.unanswered,
        open: 0,
        stuck: 0,
        late: 0,
        unknown: 0,
        stuck_since: None,
        last_answer: waits.spans.iter().filter(|span| span.is_answered).map(|span| Micros(span.to)).max(),
        median_ms: survival::quantile(&curve, 0.5),
        p95_ms: survival::quantile(&curve, 0.95),
        p99_ms: survival::quantile(&curve, 0.99),
        longest_ms: answered.iter().copied().reduce(f64::max),
        plateau: plateau.map(|(share, low, high)| Plateau { share, low, high }),
        lost_share: enough.map(|judged| judged.law.lost),
        limit_ms: judged.map(|judged| judged.limit_ms),
        working_hours: judged.and_then(|judged| match &judged.clock {
            Clock::Wall | Clock::Known(_) => None,
            Clock::Hours(hours) => Some(WorkingHours {
                text: words::hours(hours),
                weights: hours.weights.to_vec(),
                weekends_closed: hours.is_closed_on_weekends,
                chi_square: hours.chi_square,
            }),
        }),
        law: judged.map_or_else(Vec::new, |judged| {
            let part = |part: &super::law::Part| LawPart { share: part.share, median_ms: part.mu.exp(), sigma: part.sigma };
            judged.law.parts.iter().map(part).collect()
        }),
        stopped: judged.and_then(|judged| judged.stopped).map(|stop| Stopped {
            since: Micros(stop.since),
            due: stop.due,
            chance: stop.chance(),
        }),
        earlier_stops: judged.map_or_else(Vec::new, |judged| {
            judged.earlier_stops.iter().map(|(from, to)| Between { from: Micros(*from), to: Micros(*to) }).collect()
        }),
        curve: thinned(&curve),
    }
}

/// Every so many-th step, and the last one.
fn thinned(curve: &[survival::Step]) -> Vec<survival::Step> {
    let every = curve.len().div_ceil(STEPS).max(1);
    let is_kept = |at: &usize| at % every == every - 1 || *at + 1 == curve.len();
    (0..curve.len()).filter(is_kept).map(|at| curve[at]).collect()
}

/// The finding for a stuck wait.
pub(super) fn finding(waiting: &Waiting, row: &WaitClass) -> StuckCallback {
    let is_stopped = row.stopped.is_some();
    let severity = if is_stopped || row.stuck >= MANY { Severity::Critical } else { Severity::Warning };
    let is_strong = row.answered >= ENOUGH as u64
        && (row.stopped.is_some_and(|stopped| stopped.chance < STRONG) || waiting.expected_as_old.is_some_and(|count| count < STRONG));
    let steps = vec![
        Step::Execution {
            text: "what it did until it waited, and what it was given".to_owned(),
            verb: "show",
            execution: waiting.execution.clone(),
            arguments: format!("--state {}", quoted(&waiting.state)),
        },
        Step::Fleet {
            text: "everything that waits in this state".to_owned(),
            verb: "callbacks",
            arguments: format!("--state {}", quoted(&waiting.state)),
        },
        Step::Command(NextCommand { text: release::text(waiting.waits_for).to_owned(), command: waiting.release.clone() }),
    ];
    StuckCallback {
        kind: "stuck_callback",
        state_machine: waiting.state_machine.clone(),
        state: waiting.state.clone(),
        execution: waiting.execution.clone(),
        since: waiting.since,
        common: Common {
            severity,
            confidence: if is_strong { Confidence::Strong } else { Confidence::Weak },
            summary: words::summary(waiting, row),
            next: Vec::new(),
            steps,
        },
        evidence: WaitEvidence {
            age_ms: waiting.age_ms,
            working_age_ms: waiting.working_age_ms,
            waits_for: waiting.waits_for,
            resource: waiting.resource.clone(),
            scheduled_event_id: waiting.scheduled_event_id,
            answered: row.answered,
            open: row.open,
            stuck: row.stuck,
            stuck_since: row.stuck_since.unwrap_or(waiting.since),
            median_ms: row.median_ms,
            p95_ms: row.p95_ms,
            p99_ms: row.p99_ms,
            longest_ms: row.longest_ms,
            limit_ms: row.limit_ms,
            survival: waiting.survival,
            answer_probability: waiting.answer_probability,
            expected_as_old: waiting.expected_as_old,
            stopped: row.stopped,
            deadline: waiting.deadline,
            deadline_by: waiting.deadline_by,
            timeout_seconds: waiting.timeout_seconds,
            heartbeat_seconds: waiting.heartbeat_seconds,
            grounds: waiting.grounds.clone(),
        },
    }
}

/// The probability of being lost from which on a wait is stuck, in percent; for words.
pub(super) fn lost_percent() -> f64 {
    100.0 * LOST
}
