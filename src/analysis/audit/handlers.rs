//! Retriers and catchers as rules look at them: what is certain of each, and nothing where something is still to be put in.

use super::subject::StateAt;
use crate::asl::source::{Content, Node};

/// Stands for an error that a function or a service names itself, and that no handler names.
pub const ANY_OTHER: &str = "any other error";

/// A retrier or a catcher.
#[derive(Debug, Clone)]
pub struct Handler<'s> {
    /// What stands there.
    pub node: &'s Node,
    /// Its position in `Retry` or `Catch`.
    pub index: usize,
    /// `ErrorEquals`; `None` where it is not certain.
    pub names: Option<Vec<&'s str>>,
}

/// A retrier with its numbers, all of them certain. Defaults: Amazon States Language, "Retrying after error".
#[derive(Debug, Clone)]
pub struct Retrier<'s> {
    /// What it has in common with a catcher.
    pub handler: Handler<'s>,
    /// Seconds before the first retry.
    pub interval: f64,
    /// How often it retries.
    pub attempts: f64,
    /// By how much the wait grows each time.
    pub backoff: f64,
    /// The longest wait in seconds.
    pub longest: Option<f64>,
}

impl<'s> Handler<'s> {
    fn of(node: &'s Node, index: usize) -> Self {
        let texts: Option<Vec<&str>> = node.get("ErrorEquals").and_then(|names| names.items().iter().map(Node::as_str).collect());
        let is_certain = |names: &Vec<&str>| !names.is_empty() && !names.iter().any(|name| name.contains("${"));
        Self { node, index, names: texts.filter(is_certain) }
    }

    /// The names, none where they are not certain.
    pub fn names(&self) -> &[&'s str] {
        self.names.as_deref().unwrap_or_default()
    }

    /// Whether it is certain to take this error.
    pub fn takes(&self, error: &str) -> bool {
        self.names().iter().any(|name| matches(name, error))
    }

    /// Whether it may take this error: it does, or nobody knows.
    pub fn may_take(&self, error: &str) -> bool {
        self.names.is_none() || self.takes(error)
    }

    /// Whether it takes whatever a function or a service says.
    pub fn takes_all(&self) -> bool {
        self.takes(ANY_OTHER)
    }
}

impl<'s> Retrier<'s> {
    /// A retrier whose numbers are certain.
    pub fn of(handler: Handler<'s>) -> Option<Self> {
        let node = handler.node;
        let interval = number(node, "IntervalSeconds", 1.0)?;
        let attempts = number(node, "MaxAttempts", 3.0)?;
        let backoff = number(node, "BackoffRate", 2.0)?;
        let longest = match node.get("MaxDelaySeconds") {
            None => None,
            Some(_) => Some(number(node, "MaxDelaySeconds", 0.0)?),
        };
        let is_sound = interval >= 0.0 && attempts >= 0.0 && backoff >= 1.0;
        is_sound.then_some(Self { handler, interval, attempts, backoff, longest })
    }

    /// The wait before its n-th retry, from 1, in seconds. With jitter it is the longest.
    pub fn wait(&self, retry: f64) -> f64 {
        (self.interval * self.backoff.powf(retry - 1.0)).min(self.longest.unwrap_or(f64::INFINITY))
    }

    /// Whether it retries at all.
    pub fn retries(&self) -> bool {
        self.attempts >= 1.0
    }
}

/// The retriers of a state.
pub fn retriers<'s>(state: &StateAt<'s>) -> Vec<Handler<'s>> {
    handlers(state.retriers())
}

/// The catchers of a state.
pub fn catchers<'s>(state: &StateAt<'s>) -> Vec<Handler<'s>> {
    handlers(state.catchers())
}

fn handlers(nodes: &[Node]) -> Vec<Handler<'_>> {
    nodes.iter().enumerate().map(|(index, node)| Handler::of(node, index)).collect()
}

/// Whether `Retry` or `Catch` of a state is there, but not as a list: something is still to be put in.
pub fn is_open(state: &StateAt<'_>, field: &str) -> bool {
    state.get(field).is_some_and(|node| !matches!(node.content, Content::Array(_)))
}

/// Whether a name in `ErrorEquals` is certain to match an error.
///
/// `States.TaskFailed` matches all but timeouts, and `States.ALL` all but those that end an execution at once; what the pages and
/// recordings of the service say of `States.DataLimitExceeded` differs, so neither is certain to take it.
fn matches(name: &str, error: &str) -> bool {
    match name {
        _ if error == "States.Runtime" => false,
        _ if name == error => true,
        "States.ALL" => error != "States.DataLimitExceeded",
        "States.TaskFailed" => !matches!(error, "States.DataLimitExceeded" | "States.Timeout" | "States.HeartbeatTimeout" | "States.ALL"),
        _ => false,
    }
}

/// A number, or what it is without one; `None` where it is no number yet.
pub fn number(node: &Node, name: &str, default: f64) -> Option<f64> {
    match node.get(name).map(|value| &value.content) {
        None => Some(default),
        Some(Content::Number(number)) => number.parse().ok().filter(|number: &f64| number.is_finite()),
        Some(_) => None,
    }
}

/// A length of time in the words of a sentence: `45 s`, `12 min`, `4.6 hours`, `3 days`.
pub fn in_words(seconds: f64) -> String {
    let one_decimal = |value: f64| {
        let text = format!("{value:.1}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    match seconds {
        _ if seconds < 120.0 => format!("{} s", one_decimal(seconds)),
        _ if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{} hours", one_decimal(seconds / 3_600.0)),
        _ if seconds < 31_536_000.0 => format!("{:.0} days", seconds / 86_400.0),
        _ => "more than a year".to_owned(),
    }
}

/// Names in a row: `A`, `A and B`, `A, B and C`, `A, B, C and 4 more`.
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 4;
    let shown: Vec<&str> = names.iter().take(if names.len() > MOST { MOST - 1 } else { MOST }).map(AsRef::as_ref).collect();
    match (shown.as_slice(), names.len() - shown.len()) {
        ([], _) => String::new(),
        ([only], 0) => (*only).to_owned(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_do_not_take_what_ends_an_execution() {
        assert!(matches("States.ALL", ANY_OTHER) && matches("States.TaskFailed", ANY_OTHER));
        assert!(matches("States.ALL", "States.Timeout") && !matches("States.TaskFailed", "States.Timeout"));
        assert!(!matches("States.Runtime", "States.Runtime"), "nothing catches it");
        assert!(!matches("States.TaskFailed", "States.ALL"), "the later wildcard takes timeouts, too");
    }

    #[test]
    fn lengths_of_time_are_told_in_one_unit() {
        let told: Vec<String> = [1.5, 64.0, 720.0, 16_384.0, 200_000.0, 1e12].into_iter().map(in_words).collect();
        assert_eq!(told, ["1.5 s", "64 s", "12 min", "4.6 hours", "2 days", "more than a year"]);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(listed(&["A"]), "A");
        assert_eq!(listed(&["A", "B", "C", "D"]), "A, B, C and D");
        assert_eq!(listed(&["A", "B", "C", "D", "E"]), "A, B, C and 2 more");
        assert_eq!(listed::<&str>(&[]), "");
    }
}
