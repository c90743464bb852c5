//! A second look at the histories of open waits: their task tokens, and the workers that took them.
//!
//! Questions over many executions do not keep payloads, and a token stands in one. Only the executions that are shown are read again.
//! Tokens pass the redactor as the name of a variable and are filled in last, so that nothing else is unmasked with them.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::fleet::FleetArgs;
use super::global::GlobalArgs;
use super::load::{ExecArgs, Loader};
use super::settings::store_folder;
use super::stored::Stored;
use crate::analysis::callbacks::{CallbacksReport, TOKEN, Waiting};
use crate::analysis::facts::identity;
use crate::analysis::finding::Step;
use crate::model::{Details, History};

/// Values under a name with `token` in it that are shorter are something else.
const SHORTEST: usize = 20;
/// Task tokens of the service are longer than this, whatever they are called.
const LONG: usize = 100;
/// JSON in texts in JSON: message bodies hold payloads so.
const DEEPEST: usize = 16;

/// Tokens by what stands for them.
#[derive(Debug, Default)]
pub struct Tokens(Vec<(String, String)>);

/// Execution and event that scheduled the wait.
type Place = (String, u64);

/// What a history says of a wait.
#[derive(Debug, Default)]
struct Seen {
    token: Option<String>,
    worker: Option<String>,
}

impl Tokens {
    /// Looks for the tokens and workers of the waits in the report, and puts a variable of its own for each token into its commands.
    pub fn read(
        fleet: &FleetArgs,
        global: &GlobalArgs,
        report: &mut CallbacksReport,
        with_tokens: bool,
        words: &mut dyn Write,
    ) -> anyhow::Result<Self> {
        let seen = look(fleet, global, &report.waiting, words)?;
        let mut tokens = Self::default();
        for waiting in &mut report.waiting {
            let Some(seen) = place(waiting).and_then(|place| seen.get(&place)) else { continue };
            waiting.worker.clone_from(&seen.worker);
            let Some(token) = seen.token.as_ref().filter(|_| with_tokens) else { continue };
            let variable = format!("${{TASK_TOKEN_{}}}", tokens.0.len() + 1);
            let release = waiting.release.replace(TOKEN, &variable);
            let of_it = report.findings.iter_mut().filter(|finding| {
                (&finding.execution, &finding.state, finding.since) == (&waiting.execution, &waiting.state, waiting.since)
            });
            for step in of_it.flat_map(|finding| &mut finding.common.steps) {
                if let Step::Command(next) = step {
                    next.command = next.command.replace(TOKEN, &variable);
                }
            }
            waiting.release = release;
            tokens.0.push((variable, token.clone()));
        }
        Ok(tokens)
    }

    /// The text with the tokens in it.
    pub fn fill_in(&self, text: Vec<u8>) -> Vec<u8> {
        if self.0.is_empty() {
            return text;
        }
        let mut text = String::from_utf8_lossy(&text).into_owned();
        for (variable, token) in &self.0 {
            text = text.replace(variable, token);
        }
        text.into_bytes()
    }
}

fn place(waiting: &Waiting) -> Option<Place> {
    Some((waiting.execution.clone(), waiting.scheduled_event_id?))
}

fn look(fleet: &FleetArgs, global: &GlobalArgs, waiting: &[Waiting], words: &mut dyn Write) -> anyhow::Result<HashMap<Place, Seen>> {
    let wanted: HashSet<Place> = waiting.iter().filter_map(place).collect();
    let executions: HashSet<&str> = waiting.iter().map(|waiting| waiting.execution.as_str()).collect();
    let mut seen: HashMap<Place, Seen> = HashMap::new();
    let mut take = |history: &History| {
        let execution = identity(history).into_owned();
        if executions.contains(execution.as_str()) {
            of_history(history, &execution, &wanted, &mut seen);
        }
    };
    if fleet.input.is_empty() {
        let folder = store_folder(global)?;
        let stored = Stored::open(Path::new(&folder))?;
        let mut sorted: Vec<&&str> = executions.iter().collect();
        sorted.sort_unstable();
        for execution in sorted {
            if let Some(history) = stored.find(execution)?.history {
                take(&history);
            }
        }
    } else {
        let again = ExecArgs { execs: fleet.input.clone(), state_machine: None, latest_failed: false, definitions: None };
        Loader::new(&again, &GlobalArgs { store: None, ..global.clone() }, words).each(&again, &mut |history| take(&history))?;
    }
    Ok(seen)
}

fn of_history(history: &History, execution: &str, wanted: &HashSet<Place>, seen: &mut HashMap<Place, Seen>) {
    for event in &history.events {
        let place = (execution.to_owned(), event.id.0);
        match &event.details {
            Details::Scheduled(scheduled) if wanted.contains(&place) => {
                let payload = scheduled.input.as_ref().map(|input| input.text.decode().into_owned());
                seen.entry(place).or_default().token = payload.and_then(|payload| token_in(&payload));
            }
            Details::Started(started) => {
                let scheduled = (execution.to_owned(), event.previous_event_id.map_or(0, |previous| previous.0));
                if let Some(worker) = started.worker_name.as_ref().filter(|_| wanted.contains(&scheduled)) {
                    seen.entry(scheduled).or_default().worker = Some(worker.decode().into_owned());
                }
            }
            _ => {}
        }
    }
}

/// The task token in a task's payload.
fn token_in(payload: &str) -> Option<String> {
    find(&serde_json::from_str(payload).ok()?, false, 0).filter(|token| is_plain(token))
}

fn find(value: &Value, is_named: bool, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Object(members) => {
            let named = |name: &str| name.to_ascii_lowercase().contains("token");
            members.iter().find_map(|(name, value)| find(value, named(name), depth + 1))
        }
        Value::Array(items) => items.iter().find_map(|item| find(item, is_named, depth + 1)),
        Value::String(text) if text.starts_with(['{', '[']) => find(&serde_json::from_str(text).ok()?, is_named, depth + 1),
        Value::String(text) => {
            let is_token =
                (is_named && text.len() >= SHORTEST) || (text.len() >= LONG && (text.starts_with("AAAA") || text.starts_with("AQC")));
            is_token.then(|| text.clone())
        }
        _ => None,
    }
}

/// Whether it can stand in a command, a document and on a screen as it is.
fn is_plain(token: &str) -> bool {
    token.chars().all(|character| character.is_ascii_alphanumeric() || "+/=_-.".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_wherever_it_was_put() {
        let token = "AQC".to_owned() + &"x".repeat(120);
        let nested = serde_json::json!({"MessageBody": serde_json::json!({"TaskToken": token}).to_string()}).to_string();
        assert_eq!(token_in(&nested), Some(token.clone()));
        assert_eq!(token_in(&serde_json::json!({"callback": [1, token]}).to_string()), Some(token.clone()));
        assert_eq!(token_in(&serde_json::json!({"order": 17}).to_string()), None);
        assert_eq!(token_in("not JSON"), None);
        let hostile = serde_json::json!({"token": "\u{1b}[2J$(reboot)-and-some-more-characters"}).to_string();
        assert_eq!(token_in(&hostile), None);
    }
}
