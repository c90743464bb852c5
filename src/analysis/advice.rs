//! What to check for a failure, from the catalogue in `failure_catalogue.toml`.
//!
//! The catalogue is data: its head explains the conditions. An entry applies when all of its conditions hold; the more precise
//! they are, the earlier it is told.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::task_log::FunctionOutcome;
use super::why::{Advice, DecodedCause, Finding, OpenVisit};
use crate::model::FailureFacts;

/// How many entries are told at most: the reader has one problem, not a manual.
const MOST: usize = 3;

static CATALOGUE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let catalogue: Catalogue = toml::from_str(include_str!("failure_catalogue.toml")).expect("a test reads the catalogue");
    catalogue.entry
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    entry: Vec<Entry>,
}

/// One row of the catalogue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    check: String,
    retry: Retry,
    source: String,
    #[serde(default)]
    error: Vec<String>,
    #[serde(default)]
    not_error: Vec<String>,
    #[serde(default)]
    cause: Vec<String>,
    #[serde(default)]
    code: Vec<String>,
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    kind: Vec<String>,
    #[serde(default)]
    resource: Vec<String>,
    #[serde(default)]
    waits_for: Vec<String>,
    retried: Option<bool>,
    /// Whether it stands inside an iteration or a branch.
    scope: Option<bool>,
    /// How the task's own log says that it ended.
    #[serde(default)]
    log: Vec<String>,
    /// Entries that say the same with less certainty.
    #[serde(default)]
    instead_of: Vec<String>,
    #[serde(default)]
    fallback: bool,
    /// What it has to match; read by the test.
    #[cfg_attr(not(test), allow(dead_code, reason = "the test reads it"))]
    examples: Vec<Example>,
}

/// Whether a retry helps.
#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Retry {
    Yes,
    No,
    Depends,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), allow(dead_code, reason = "the test reads it"))]
struct Example {
    error: Option<String>,
    cause: Option<String>,
    kind: Option<String>,
    resource: Option<String>,
    waits_for: Option<String>,
    scope: Option<String>,
    log: Option<String>,
}

/// What the conditions are held against.
#[derive(Default)]
struct Facts<'f> {
    /// The error's name and, for a failed child, that of the innermost one.
    errors: Vec<&'f str>,
    /// In lower case.
    cause: String,
    code: Option<&'f str>,
    status: Option<u16>,
    kind: Option<String>,
    resource: Option<&'f str>,
    waits_for: Option<String>,
    /// `None` when nobody knows.
    retried: Option<bool>,
    in_scope: bool,
    /// How the task's own log says that it ended, where that is certain.
    log: Option<&'static str>,
}

/// What to check for a failure, the most specific first.
pub fn advise(finding: &Finding) -> Vec<Advice> {
    let decoded = finding.decoded.as_ref();
    let leaf = decoded.and_then(|decoded| decoded.children.last()?.error.as_deref());
    let texts = [finding.cause.as_deref(), decoded.and_then(|decoded| decoded.message.as_deref())];
    matching(&Facts {
        errors: finding.error.as_deref().into_iter().chain(leaf).collect(),
        cause: texts.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase(),
        code: decoded.and_then(|decoded| decoded.error_code.as_deref()),
        status: decoded.and_then(|decoded| decoded.status_code),
        kind: name(finding.kind),
        resource: finding.resource.as_deref(),
        waits_for: None,
        retried: Some(finding.attempts.len() > 1),
        in_scope: !finding.scope.is_empty(),
        log: finding.logs.as_ref().filter(|log| log.is_certain()).and_then(|log| log.outcome).map(FunctionOutcome::name),
    })
}

/// What to check for a failure of which only the facts are known: whether it was retried is not among them.
pub fn advise_failure(failure: &FailureFacts<'_>, decoded: &DecodedCause) -> Vec<Advice> {
    let leaf = decoded.children.last().and_then(|child| child.error.as_deref());
    let texts = [failure.root_cause, decoded.message.as_deref()];
    matching(&Facts {
        errors: failure.root_error.into_iter().chain(leaf).collect(),
        cause: texts.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase(),
        code: decoded.error_code.as_deref(),
        status: decoded.status_code,
        kind: Some(failure.kind.to_owned()),
        resource: failure.resource,
        waits_for: None,
        retried: None,
        in_scope: !failure.root_scope.is_empty(),
        log: None,
    })
}

/// What to check for a state that is waited for.
pub fn advise_waiting(open: &OpenVisit) -> Vec<Advice> {
    matching(&Facts { waits_for: name(open.waits_for), resource: open.resource.as_deref(), ..Facts::default() })
}

/// The word that a report has for a value.
fn name(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

fn matching(facts: &Facts<'_>) -> Vec<Advice> {
    let mut found: Vec<(usize, &Entry)> = CATALOGUE.iter().filter_map(|entry| Some((entry.precision(facts)?, entry))).collect();
    if found.iter().any(|(_, entry)| !entry.fallback) {
        found.retain(|(_, entry)| !entry.fallback);
    }
    let replaced: Vec<&String> = found.iter().flat_map(|(_, entry)| &entry.instead_of).collect();
    found.retain(|(_, entry)| !replaced.contains(&&entry.id));
    // The order of the catalogue decides between equals.
    found.sort_by_key(|(precision, _)| std::cmp::Reverse(*precision));
    found.into_iter().take(MOST).map(|(_, entry)| entry.advice()).collect()
}

impl Entry {
    fn advice(&self) -> Advice {
        Advice { id: self.id.clone(), text: self.check.clone(), retry: name(self.retry).unwrap_or_default(), source: self.source.clone() }
    }

    /// How precisely the conditions describe the facts; `None` when one does not hold.
    fn precision(&self, facts: &Facts<'_>) -> Option<usize> {
        let error = |patterns: &[String]| facts.errors.iter().filter_map(|error| best(patterns, error)).max();
        if error(&self.not_error).is_some() {
            return None;
        }
        // What waits has no error and what failed waits for nothing: no entry is about both.
        if self.waits_for.is_empty() != facts.waits_for.is_none() {
            return None;
        }
        let status = |pattern: &String| facts.status.is_some_and(|status| matches_status(pattern, status));
        let text = |pattern: &String| facts.cause.contains(&pattern.to_lowercase());
        let conditions = [
            when(&self.error, || error(&self.error)),
            when(&self.cause, || self.cause.iter().any(text).then_some(30)),
            when(&self.code, || best(&self.code, facts.code?)),
            when(&self.status, || self.status.iter().any(status).then_some(25)),
            when(&self.kind, || self.kind.contains(facts.kind.as_ref()?).then_some(10)),
            when(&self.resource, || best(&self.resource, facts.resource?)),
            when(&self.waits_for, || self.waits_for.contains(facts.waits_for.as_ref()?).then_some(10)),
            self.retried.map_or(Some(0), |wanted| (Some(wanted) == facts.retried).then_some(1)),
            when(&self.log, || facts.log.is_some_and(|log| self.log.iter().any(|wanted| wanted == log)).then_some(40)),
            self.scope.map_or(Some(0), |wanted| (wanted == facts.in_scope).then_some(1)),
        ];
        conditions.into_iter().sum()
    }
}

/// Nothing for a condition that is not stated.
fn when(stated: &[String], holds: impl FnOnce() -> Option<usize>) -> Option<usize> {
    if stated.is_empty() { Some(0) } else { holds() }
}

fn matches_status(pattern: &str, status: u16) -> bool {
    match pattern.strip_suffix("xx") {
        Some(class) => class.parse() == Ok(status / 100),
        None => pattern.parse() == Ok(status),
    }
}

/// How much of the text the best of the patterns spells out; `None` when none matches.
fn best(patterns: &[String], text: &str) -> Option<usize> {
    patterns.iter().filter(|pattern| matches(pattern, text)).map(|pattern| 10 + pattern.replace('*', "").len().min(30)).max()
}

/// Whether the text is as the pattern says; `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(position) => text = &text[position + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::analysis::cause;

    fn advised(example: &Example) -> Vec<String> {
        let decoded = example.cause.as_deref().map(|text| cause::decode(example.error.as_deref(), text)).unwrap_or_default();
        let leaf = decoded.children.last().and_then(|child| child.error.as_deref());
        let facts = Facts {
            errors: example.error.as_deref().into_iter().chain(leaf).collect(),
            cause: example.cause.as_deref().unwrap_or_default().to_lowercase(),
            code: decoded.error_code.as_deref(),
            status: cause::decode(example.error.as_deref(), example.cause.as_deref().unwrap_or_default()).status_code,
            kind: example.waits_for.is_none().then(|| example.kind.clone().unwrap_or_else(|| "task_failed".to_owned())),
            resource: example.resource.as_deref(),
            waits_for: example.waits_for.clone(),
            retried: Some(false),
            in_scope: example.scope.is_some(),
            log: FunctionOutcome::ALL.map(FunctionOutcome::name).into_iter().find(|name| Some(*name) == example.log.as_deref()),
        };
        matching(&facts).into_iter().map(|advice| advice.id).collect()
    }

    fn example(error: &str, cause: &str, resource: &str) -> Example {
        let cause = (!cause.is_empty()).then(|| cause.to_owned());
        let resource = (!resource.is_empty()).then(|| resource.to_owned());
        Example { error: Some(error.to_owned()), cause, kind: None, resource, waits_for: None, scope: None, log: None }
    }

    #[test]
    fn every_entry_is_told_for_its_examples() {
        for entry in CATALOGUE.iter() {
            assert!(!entry.examples.is_empty(), "{} has no example", entry.id);
            for example in &entry.examples {
                let told = advised(example);
                assert!(told.contains(&entry.id), "{}: {told:?}", entry.id);
            }
        }
    }

    #[test]
    fn every_entry_is_whole() {
        let mut ids = HashSet::new();
        for entry in CATALOGUE.iter() {
            assert!(ids.insert(&entry.id), "{} stands twice", entry.id);
            assert!(entry.check.len() <= 320 && entry.check.ends_with('.'), "{}: {} bytes", entry.id, entry.check.len());
            assert!(entry.source == "recordings of the service" || entry.source.contains(", "), "{}: {}", entry.id, entry.source);
            let conditions = [&entry.error, &entry.cause, &entry.status, &entry.kind, &entry.resource, &entry.waits_for, &entry.log];
            assert!(conditions.iter().any(|condition| !condition.is_empty()), "{} would always apply", entry.id);
        }
    }

    #[test]
    fn one_error_name_with_two_meanings_is_told_apart_by_its_status() {
        let refused =
            "not authorized (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: r; Proxy: null)";
        assert_eq!(advised(&example("Lambda.AWSLambdaException", refused, ""))[0], "lambda-not-allowed");
        let broken = "oops (Service: AWSLambda; Status Code: 502; Error Code: X; Request ID: r; Proxy: null)";
        assert_eq!(advised(&example("Lambda.AWSLambdaException", broken, ""))[0], "lambda-service-fault-5xx");
    }

    #[test]
    fn the_failure_of_a_child_brings_its_own_advice() {
        let cause = r#"{"Error":"Lambda.TooManyRequestsException","Cause":"Rate Exceeded.","ExecutionArn":"arn:aws:states:eu-west-1:111111111111:execution:M:a","Status":"FAILED"}"#;
        let told = advised(&example("States.TaskFailed", cause, "states:startExecution.sync:2"));
        assert!(told.contains(&"child-execution-failed".to_owned()) && told.contains(&"lambda-throttled".to_owned()), "{told:?}");
    }

    #[test]
    fn general_advice_waits_for_the_specific_one() {
        let cause = "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: r; Proxy: null)";
        assert_eq!(advised(&example("SNS.NotFoundException", cause, "sns:publish")), ["sns-refused"]);
        assert_eq!(advised(&example("Custom", "no idea", "")), Vec::<String>::new());
    }

    #[test]
    fn what_the_log_says_for_certain_replaces_what_the_cause_hints_at() {
        let killed = r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r Error: Runtime exited with error: signal: killed"}"#;
        let by_cause = example("Runtime.ExitError", killed, "lambda:invoke");
        assert_eq!(advised(&by_cause), ["lambda-crashed"]);
        assert_eq!(advised(&Example { log: Some("out_of_memory".to_owned()), ..by_cause }), ["lambda-memory-exhausted"]);
    }

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("Lambda.*", "Lambda.Unknown") && !matches("Lambda.*", "MyLambda.Unknown"));
        assert!(matches("*.InvalidToken*", "Sfn.InvalidTokenException") && !matches("*.InvalidToken", "Sfn.InvalidTokenException"));
        assert!(matches("arn:aws*:lambda:*", "arn:aws-cn:lambda:cn-north-1:1:function:f"));
        assert!(!matches("A*A", "A"));
    }
}
