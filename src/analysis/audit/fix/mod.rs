//! Fixes, written into the text of a definition so that everything else of it stays as it stands.
//!
//! Patches are applied to the definition's value, round after round, until no rule has one left; the text is then changed where the value
//! differs from what was read ([`edit`]). What comes of it is read again: it must be the patched value, and no less valid than before.
//! A fix that does not pass is left out, and said to be.
//!
//! | file       | holds                                                        |
//! |------------|--------------------------------------------------------------|
//! | `choose.rs` | which fixes can be made at once                             |
//! | `edit.rs`  | from a tree and a value to changes of the text               |
//! | `flow.rs`  | changes of JSON, and of what YAML writes in brackets         |
//! | `block.rs` | changes of YAML, by its indentation                          |
//! | `diff.rs`  | changes of a text as a unified diff                          |

mod block;
mod choose;
mod diff;
mod edit;
mod flow;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

pub use diff::unified;
pub use edit::Edit;

use super::finding::Finding;
use super::rule::{Fix, Operation};
use super::{Options, findings};
use crate::asl::check::{self, MachineType, Verdict};
use crate::asl::source::{Format, Source};
use choose::Claims;

/// A fix may bring up another; more rounds than this go in circles.
const MOST_ROUNDS: usize = 10;

/// Which fixes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those that keep what the machine does in good times.
    Safe,
    /// All of them.
    All,
}

/// A fix that was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fixed {
    /// The rule's id.
    pub rule: &'static str,
    /// JSON pointer of the place, as it was when the fix was made.
    pub pointer: String,
    /// The state that it is about.
    pub state: Option<String>,
    /// What was done.
    pub text: String,
}

/// A fix that was wanted and not made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unfixed {
    /// The rule's id.
    pub rule: &'static str,
    /// JSON pointer of the place.
    pub pointer: String,
    /// The state that it is about.
    pub state: Option<String>,
    /// What should have been done.
    pub text: String,
    /// Why it was not.
    pub why: String,
}

/// A definition with fixes in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The definition's text; `None` where nothing changes.
    pub text: Option<String>,
    /// The changes, in the order of the text that was read.
    pub edits: Vec<Edit>,
    /// What was done, in the order in which it was.
    pub fixed: Vec<Fixed>,
    /// What was left out.
    pub unfixed: Vec<Unfixed>,
}

/// Why a fix can't be made.
type Why = String;

/// Fixes what can be fixed.
pub fn fix(source: &Source, machine_type: MachineType, options: &Options<'_>, wanted: Wanted) -> Outcome {
    let Some(value) = edit::value_of(source.root()) else { return Outcome::default() };
    let before = check::check(source, machine_type);
    let mut run = Run { source, machine_type, options, wanted, value, before, unfixed: BTreeSet::new() };
    // Each time round at least one more fix is left out.
    loop {
        let (value, fixed) = run.patched();
        if fixed.is_empty() {
            return Outcome { unfixed: run.unfixed.into_iter().collect(), ..Outcome::default() };
        }
        match run.written(&value) {
            Ok((edits, text)) => {
                return Outcome {
                    text: Some(text),
                    edits,
                    fixed: fixed.into_iter().map(Made::said).collect(),
                    unfixed: run.unfixed.into_iter().collect(),
                };
            }
            Err(problems) => run.leave_out(&fixed, problems),
        }
    }
}

/// The changes of the text that one fix makes, apart from all others; `None` where it can't be made.
pub fn edits_of(source: &Source, fix: &Fix) -> Option<Vec<Edit>> {
    let scope = choose::scope(&fix.patch);
    let node = source.node(scope)?;
    let mut value = edit::value_of(node)?;
    let relative = |operation: &Operation| operation.moved(|path| path.strip_prefix(scope).map(str::to_owned));
    let patch = fix.patch.iter().map(relative).collect::<Option<Vec<_>>>()?;
    apply(&patch, &mut value).ok()?;
    edit::edits(source, node, scope, &value).ok().filter(|edits| !edits.is_empty())
}

/// A fix on its way into the text.
struct Made {
    finding: Finding,
    fix: Fix,
}

impl Made {
    fn said(self) -> Fixed {
        let Finding { rule, pointer, state, .. } = self.finding;
        Fixed { rule, pointer, state, text: self.fix.text }
    }

    fn left_out(&self, why: &str) -> Unfixed {
        let Finding { rule, pointer, state, .. } = &self.finding;
        Unfixed { rule, pointer: pointer.clone(), state: state.clone(), text: self.fix.text.clone(), why: why.to_owned() }
    }
}

struct Run<'r> {
    source: &'r Source,
    machine_type: MachineType,
    options: &'r Options<'r>,
    wanted: Wanted,
    /// The definition as it was read.
    value: Value,
    before: Verdict,
    unfixed: BTreeSet<Unfixed>,
}

impl Run<'_> {
    /// The definition with all fixes but those that are left out, and what they were.
    fn patched(&mut self) -> (Value, Vec<Made>) {
        let mut value = self.value.clone();
        let mut made: Vec<Made> = Vec::new();
        for round in 0..MOST_ROUNDS {
            let text = value.to_string();
            let again;
            let source = if round == 0 {
                self.source
            } else {
                let Ok(read) = Source::read(text.as_bytes(), Some(Format::Json)) else { break };
                again = read;
                &again
            };
            let mut claims = Claims::default();
            let known = made.len();
            for finding in findings(source, self.machine_type, self.options).0 {
                let Some(fix) = finding.fix.clone().filter(|fix| fix.safe || self.wanted == Wanted::All) else { continue };
                let next = Made { finding, fix };
                let is_out = self.unfixed.iter().any(|out| out.rule == next.finding.rule && out.pointer == next.finding.pointer);
                // What was done and is found again would go on forever.
                let is_done = made.iter().any(|made| made.finding.rule == next.finding.rule && made.fix == next.fix);
                if is_out || is_done || !claims.take(&next.fix.patch) {
                    continue;
                }
                match apply(&next.fix.patch, &mut value) {
                    Ok(()) => made.push(next),
                    Err(why) => drop(self.unfixed.insert(next.left_out(&why))),
                }
            }
            if made.len() == known {
                break;
            }
        }
        (value, made)
    }

    /// The changes and the text that they make; else which places can't be changed, or, where that is not known, none.
    fn written(&self, value: &Value) -> Result<(Vec<Edit>, String), Vec<(String, Why)>> {
        let edits = edit::edits(self.source, self.source.root(), "", value)?;
        let text = edit::applied(self.source.text(), &edits);
        self.holds(&text, value).map_err(|why| vec![(String::new(), why)])?;
        Ok((edits, text))
    }

    /// Whether a text is the patched definition, and no less valid than what was read.
    fn holds(&self, text: &str, value: &Value) -> Result<(), Why> {
        let read = Source::read(text.as_bytes(), Some(self.source.format()))
            .map_err(|error| format!("the text could not be read again: {error}"))?;
        let read_value =
            if read.description().is_some() && self.source.description().is_none() { None } else { edit::value_of(read.root()) };
        if read_value.as_ref() != Some(value) {
            return Err("the text would not say what the patch says".to_owned());
        }
        let known = |verdict: &Verdict| verdict.diagnostics.iter().map(|found| (found.message.clone(), found.severity)).collect::<Vec<_>>();
        let (mut before, after) = (known(&self.before), check::check(&read, self.machine_type));
        for diagnostic in &after.diagnostics {
            let Some(at) = before.iter().position(|(message, severity)| *message == diagnostic.message && *severity == diagnostic.severity)
            else {
                return Err(format!("the definition would be less valid: {}", diagnostic.message));
            };
            before.swap_remove(at);
        }
        Ok(())
    }

    /// Leaves out what makes trouble: what lies at the places, else what does not hold alone, else everything.
    fn leave_out(&mut self, made: &[Made], problems: Vec<(String, Why)>) {
        let known = self.unfixed.len();
        for (pointer, why) in problems.iter().filter(|(pointer, _)| !pointer.is_empty()) {
            for made in made.iter().filter(|made| choose::touches(&made.fix.patch, pointer)) {
                self.unfixed.insert(made.left_out(why));
            }
        }
        if self.unfixed.len() > known {
            return;
        }
        for made in made {
            let mut value = self.value.clone();
            // One that builds on another is judged with that.
            let alone = apply(&made.fix.patch, &mut value).is_ok().then(|| self.written(&value));
            if let Some(Err(problems)) = alone {
                let why = problems.first().map_or("", |(_, why)| why);
                self.unfixed.insert(made.left_out(why));
            }
        }
        if self.unfixed.len() == known {
            let why = problems.first().map_or("", |(_, why)| why);
            self.unfixed.extend(made.iter().map(|made| made.left_out(why)));
        }
    }
}

/// Applies a JSON patch; on an error the value stays as it is.
fn apply(patch: &[Operation], value: &mut Value) -> Result<(), Why> {
    let text = serde_json::to_value(patch).map_err(|error| error.to_string())?;
    let patch: json_patch::Patch = serde_json::from_value(text).map_err(|error| format!("its patch is none: {error}"))?;
    json_patch::patch(value, &patch).map_err(|error| format!("its patch does not fit: {error}"))
}
