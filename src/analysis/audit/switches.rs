//! Rules that a file switches off, each with its reason.
//!
//! ```toml
//! [[off]]
//! rule = "retry-without-jitter"
//! state = "Poll*"            # without it: everywhere
//! file = "orders.asl.json"   # without it: in all definitions that the file is for
//! reason = "One execution at a time: there is no crowd to spread."
//! ```

use serde::Deserialize;
use thiserror::Error;

use super::finding::Finding;
use super::rules;
use crate::analysis::pattern;

/// What is switched off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switches {
    /// In the order of the file.
    pub off: Vec<Off>,
}

/// A rule that is switched off, somewhere or everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Off {
    /// The rule's id.
    pub rule: &'static str,
    /// Name of a state, or a pattern with `*` and `?`; `None` for everywhere.
    pub state: Option<String>,
    /// Name or path of a file, or a pattern; `None` for all.
    pub file: Option<String>,
    /// Why.
    pub reason: String,
    /// Line of the file at which the entry begins, from 1.
    pub line: usize,
}

/// Why a file of switches can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct SwitchError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    off: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: Option<String>,
    state: Option<String>,
    file: Option<String>,
    reason: Option<String>,
}

impl Switches {
    /// Reads the text of a file. An entry without a reason, or of a rule that is not there, is an error.
    pub fn parse(text: &str) -> Result<Self, SwitchError> {
        let line_of = |byte: usize| text.as_bytes()[..byte.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
        let written: Written = toml::from_str(text).map_err(|error| SwitchError {
            line: line_of(error.span().map_or(0, |span| span.start)),
            message: error.message().trim_end().replace('\n', ", "),
        })?;
        let read = |entry: toml::Spanned<Entry>| {
            let line = line_of(entry.span().start);
            entry.into_inner().read(line).map_err(|message| SwitchError { line, message })
        };
        Ok(Self { off: written.off.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The entry that switches a finding off: the first that matches it. `file` is the path of the definition as seen from the
    /// folder of the switches.
    pub(super) fn off(&self, finding: &Finding, file: &str) -> Option<usize> {
        self.off.iter().position(|off| off.is_about(file) && off.matches(finding))
    }
}

impl Off {
    /// Whether it is about definitions of this path.
    pub fn is_about(&self, file: &str) -> bool {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        self.file.as_ref().is_none_or(|wanted| pattern::matches(wanted, file) || pattern::matches(wanted, name))
    }

    fn matches(&self, finding: &Finding) -> bool {
        let state = finding.state.as_deref();
        self.rule == finding.rule && self.state.as_ref().is_none_or(|wanted| state.is_some_and(|state| pattern::matches(wanted, state)))
    }

    /// In a few words: `retry-without-jitter in Poll*`.
    pub fn words(&self) -> String {
        let state = self.state.as_ref().map_or(String::new(), |state| format!(" in {state}"));
        let file = self.file.as_ref().map_or(String::new(), |file| format!(" of {file}"));
        format!("{}{state}{file}", self.rule)
    }
}

impl Entry {
    fn read(self, line: usize) -> Result<Off, String> {
        let Some(rule) = self.rule else { return Err("rule is missing: which rule is switched off?".to_owned()) };
        let rule = rules::named(&rule)?.id;
        match self.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty()) {
            Some(reason) => Ok(Off { rule, state: self.state, file: self.file, reason, line }),
            None => Err(format!("{rule} is switched off without a reason: write one as reason = \"…\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: &str = "[[off]]\nrule = \"retry-without-jitter\"\nstate = \"Poll*\"\nreason = \"one at a time\"\n";

    #[test]
    fn a_rule_is_switched_off_with_a_reason() {
        let switches = Switches::parse(POLL).expect("switches");
        assert_eq!((switches.off[0].rule, switches.off[0].line), ("retry-without-jitter", 1));
        assert_eq!(switches.off[0].words(), "retry-without-jitter in Poll*");
        assert_eq!(Switches::parse("").expect("nothing is off"), Switches::default());
    }

    #[test]
    fn what_is_missing_or_unknown_is_an_error_with_its_line() {
        let error = |text: &str| Switches::parse(text).expect_err("an error");
        let without = error("# why not\n\n[[off]]\nrule = \"retry-without-jitter\"\nreason = \" \"\n");
        assert_eq!(without.line, 3);
        assert!(without.message.contains("without a reason"), "{without}");
        assert!(error("[[off]]\nreason = \"x\"\n").message.contains("rule is missing"));
        let unknown = error("[[off]]\nrule = \"retry-without-jiter\"\nreason = \"x\"\n");
        assert!(unknown.message.contains("did you mean `retry-without-jitter`"), "{unknown}");
        assert_eq!(error(&POLL.replace("state", "stat")).line, 3);
        assert!(error("off = 3").message.contains("invalid type"));
    }

    #[test]
    fn an_entry_is_about_files_by_name_or_path() {
        let of = |file: &str| Off { rule: "a", state: None, file: Some(file.to_owned()), reason: "b".to_owned(), line: 1 };
        assert!(of("orders.json").is_about("machines/orders.json"));
        assert!(of("machines/*.json").is_about("machines/orders.json"));
        assert!(!of("refunds.json").is_about("machines/orders.json"));
    }
}
