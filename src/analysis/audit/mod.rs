//! Whether a definition is valid, and what it will do to its owners in an outage.
//!
//! | file           | holds                                                       |
//! |----------------|-------------------------------------------------------------|
//! | `subject.rs`   | the definition as rules look at it                          |
//! | `aftermath.rs` | what is certain of the data after a Catch                   |
//! | `cycles.rs`    | loops                                                       |
//! | `call.rs`      | what a Task calls                                           |
//! | `handlers.rs`  | retriers and catchers, where they are certain               |
//! | `rule.rs`      | what a rule is, and what it says                            |
//! | `rules/`       | the rules                                                   |
//! | `catalogue.rs` | the list of them, for readers                               |
//! | `finding.rs`   | what a rule found, with its place in the text               |
//! | `switches.rs`  | rules that a file switches off                              |
//! | `past.rs`      | what became of a machine's executions: a question to a store |
//! | `cost.rs`      | what a finding went along with in them                      |
//! | `fix/`         | fixes, written into the text                                |

pub mod aftermath;
pub mod call;
pub mod catalogue;
mod cost;
pub mod cycles;
mod finding;
pub mod fix;
pub mod handlers;
pub mod past;
pub mod rule;
pub mod rules;
pub mod subject;
mod switches;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use cost::Cost;
pub use finding::{Finding, Replacement, Suppressed};
pub use past::{MachinePast, Past, PastSummary};
pub use switches::{Off, SwitchError, Switches};

use crate::analysis::cost::Prices;
use crate::asl::check::{self, Diagnostic, MachineType, Severity, Verdict};
use crate::asl::source::{Format, Node, Source, SourceError};
use finding::Places;
use fix::{Fixed, Unfixed};
use rule::Level;
use subject::Subject;

/// What was found in one definition.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// `stepscope.audit/1`.
    pub schema: &'static str,
    /// Where the definition was read.
    pub file: String,
    /// The kind of state machine for which it was checked.
    #[serde(rename = "type")]
    pub machine_type: MachineType,
    /// Whether the service would take it.
    pub valid: bool,
    /// How many diagnostics are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// Whether there were more diagnostics than are given.
    pub truncated: bool,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// What the rules found, in the order of the text.
    pub findings: Vec<Finding>,
    /// How many findings there are of each level.
    pub levels: Levels,
    /// Findings that a file switched off, in the order of the text.
    pub suppressed: Vec<Suppressed>,
    /// Fixes that were made, in the order in which they were; the findings are those that are left.
    pub fixed: Vec<Fixed>,
    /// Fixes that were wanted and could not be made.
    pub unfixed: Vec<Unfixed>,
    /// The executions of which the costs tell; `None` where none were looked at, or none are of this machine.
    pub past: Option<PastSummary>,
    /// Whether the places lie in a text inside of the file: the definition that describe-state-machine put out.
    #[serde(skip)]
    pub embedded: bool,
    /// The lines that diagnostics and findings name, for whoever shows them.
    #[serde(skip)]
    pub lines: BTreeMap<usize, String>,
    /// Entries of the switches that matched something.
    #[serde(skip)]
    pub switches_used: BTreeSet<usize>,
}

/// How many findings there are of each level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "the levels")]
pub struct Levels {
    pub error: usize,
    pub warning: usize,
    pub note: usize,
    /// How many of all have a fix that keeps what the machine does in good times.
    pub safely_fixable: usize,
    /// How many have another fix.
    pub otherwise_fixable: usize,
}

/// How to look at a definition.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// The kind of state machine that it is for; `None` for what describe-state-machine says, else Standard.
    pub machine_type: Option<MachineType>,
    /// Ids of the rules that are asked; `None` for all, of an empty set none.
    pub only: Option<BTreeSet<&'static str>>,
    /// Ids of rules that are not.
    pub ignored: BTreeSet<&'static str>,
    /// What a file switches off, and the definition's path as seen from there.
    pub switches: Option<(&'a Switches, String)>,
    /// What became of executions, of this machine and others.
    pub past: Option<&'a Past>,
    /// Whether all of those executions are of this machine.
    pub past_is_own: bool,
    /// Whether to find out which changes of the text each fix would make.
    pub with_replacements: bool,
}

/// Checks a definition. The kind of state machine is the given one, else what the output of describe-state-machine tells, else Standard.
///
/// A text that is neither JSON nor YAML is an invalid definition; what can't be looked into at all is an error.
pub fn audit(file: &str, bytes: &[u8], options: &Options<'_>) -> Result<AuditReport, SourceError> {
    match Source::read(bytes, Format::of_name(file)) {
        Ok(source) => Ok(audit_source(file, &source, options)),
        Err(SourceError::Syntax(problem)) => {
            let lines = BTreeMap::from([(problem.position.line, problem.excerpt.clone())]);
            let machine_type = options.machine_type.unwrap_or_default();
            Ok(AuditReport { lines, ..report(file, machine_type, Verdict::of_syntax(&problem)) })
        }
        Err(error) => Err(error),
    }
}

/// Checks a definition that was read.
pub fn audit_source(file: &str, source: &Source, options: &Options<'_>) -> AuditReport {
    let machine_type = machine_type(source, options);
    let mut report = report(file, machine_type, check::check(source, machine_type));
    let past = past_of(source, options);
    let (mut found, suppressed, used) = looked_through(source, machine_type, options, past.as_ref(), Some(&report));
    if let Some(past) = &past {
        let prices = Prices::built_in();
        found.iter_mut().for_each(|finding| finding.cost = Cost::of(finding, past, &prices));
        report.past = Some(past.summary());
    }
    if options.with_replacements {
        found.iter_mut().for_each(|finding| finding.find_replacements(source));
    }
    report.levels = Levels::of(&found);
    report.findings = found;
    report.suppressed = suppressed;
    report.switches_used = used;
    report.embedded = source.description().is_some_and(|description| description.embedded.is_some());
    let named = report.diagnostics.iter().map(|diagnostic| diagnostic.line).chain(report.findings.iter().map(|finding| finding.line));
    report.lines = named.map(|line| (line, source.line(line).to_owned())).collect();
    report
}

impl Options<'_> {
    /// Whether a definition is valid, and nothing else.
    pub fn validity(machine_type: Option<MachineType>) -> Self {
        Self { machine_type, only: Some(BTreeSet::new()), ..Self::default() }
    }
}

/// The kind of state machine for which a definition is checked.
pub fn machine_type(source: &Source, options: &Options<'_>) -> MachineType {
    let described = source.machine_type().map(|described| match described {
        "EXPRESS" => MachineType::Express,
        _ => MachineType::Standard,
    });
    options.machine_type.or(described).unwrap_or_default()
}

/// What the rules find, what of it is switched off, and which entries did that. Costs are not reckoned.
fn findings(source: &Source, machine_type: MachineType, options: &Options<'_>) -> (Vec<Finding>, Vec<Suppressed>, BTreeSet<usize>) {
    let past = past_of(source, options);
    let report = report("", machine_type, check::check(source, machine_type));
    looked_through(source, machine_type, options, past.as_ref(), Some(&report))
}

fn looked_through(
    source: &Source,
    machine_type: MachineType,
    options: &Options<'_>,
    past: Option<&MachinePast>,
    report: Option<&AuditReport>,
) -> (Vec<Finding>, Vec<Suppressed>, BTreeSet<usize>) {
    let mut subject = Subject::new(source, machine_type);
    subject.past = past;
    let places = Places::new(&subject);
    let unsound = report.map(|report| Unsound::of(report, &places)).unwrap_or_default();
    let mut all = Vec::new();
    let asked = |id: &str| options.only.as_ref().is_none_or(|only| only.contains(id)) && !options.ignored.contains(id);
    for rule in rules::all().filter(|rule| asked(rule.id)) {
        let mut violations = Vec::new();
        (rule.check)(&subject, &mut violations);
        let sound = violations.into_iter().filter(|violation| !unsound.holds(&violation.pointer, &places));
        all.extend(sound.map(|violation| places.finding(rule, violation)));
    }
    all.sort_by(|one, other| (one.line, one.column, one.level, one.rule).cmp(&(other.line, other.column, other.level, other.rule)));
    let Some((switches, path)) = &options.switches else { return (all, Vec::new(), BTreeSet::new()) };
    let (mut found, mut suppressed, mut used) = (Vec::new(), Vec::new(), BTreeSet::new());
    for finding in all {
        match switches.off(&finding, path) {
            Some(at) => {
                used.insert(at);
                suppressed.push(Suppressed { finding, justification: switches.off[at].reason.clone() });
            }
            None => found.push(finding),
        }
    }
    (found, suppressed, used)
}

/// Where a definition is not sound: what stands in a state that has to be changed anyway is not judged, as it will not be what it is.
#[derive(Default)]
struct Unsound {
    everything: bool,
    states: BTreeSet<String>,
}

impl Unsound {
    fn of(report: &AuditReport, places: &Places<'_>) -> Self {
        let errors = report.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let states: Vec<Option<&str>> = errors.map(|error| places.pointer_of_state(&error.pointer)).collect();
        // An error outside of all states, such as a missing StartAt, says nothing about any of them.
        Self { everything: report.truncated, states: states.into_iter().flatten().map(str::to_owned).collect() }
    }

    fn holds(&self, pointer: &str, places: &Places<'_>) -> bool {
        self.everything || places.pointer_of_state(pointer).is_some_and(|state| self.states.contains(state))
    }
}

/// What became of the executions of the machine that has this definition.
fn past_of(source: &Source, options: &Options<'_>) -> Option<MachinePast> {
    let past = options.past?;
    if options.past_is_own {
        return past.all();
    }
    let described = |name: &str| source.description()?.root.get(name)?.as_str();
    let machine = described("stateMachineArn").or_else(|| described("name"));
    let mut states = BTreeSet::new();
    names(source.root(), 0, &mut states);
    past.of(machine, source.root().get("StartAt").and_then(Node::as_str), &states)
}

/// The names of all states, inner ones too.
fn names<'s>(node: &'s Node, depth: usize, found: &mut BTreeSet<&'s str>) {
    const DEEPEST: usize = 64;
    let Some(states) = node.get("States").filter(|_| depth < DEEPEST) else { return };
    for member in states.members() {
        found.insert(&member.name);
        let branches = member.value.get("Branches").map_or(&[][..], Node::items).iter();
        let processors = ["ItemProcessor", "Iterator"].into_iter().filter_map(|name| member.value.get(name));
        branches.chain(processors).for_each(|inner| names(inner, depth + 1, found));
    }
}

impl Levels {
    fn of(findings: &[Finding]) -> Self {
        let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
        let fixable = |safe: bool| findings.iter().filter(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe == safe)).count();
        Self {
            error: count(Level::Error),
            warning: count(Level::Warning),
            note: count(Level::Note),
            safely_fixable: fixable(true),
            otherwise_fixable: fixable(false),
        }
    }
}

impl AuditReport {
    /// Whether there is an error of validity, or a finding of this level or a worse one.
    pub fn is_denied(&self, level: Level) -> bool {
        !self.valid || self.findings.iter().any(|finding| finding.level <= level)
    }
}

fn report(file: &str, machine_type: MachineType, verdict: Verdict) -> AuditReport {
    let errors = verdict.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    AuditReport {
        schema: "stepscope.audit/1",
        file: file.to_owned(),
        machine_type,
        valid: verdict.is_valid(),
        errors,
        warnings: verdict.diagnostics.len() - errors,
        truncated: verdict.truncated,
        diagnostics: verdict.diagnostics,
        findings: Vec::new(),
        levels: Levels::default(),
        suppressed: Vec::new(),
        fixed: Vec::new(),
        unfixed: Vec::new(),
        past: None,
        embedded: false,
        lines: BTreeMap::new(),
        switches_used: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_PASS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#;
    const ACTIVITY: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:a", "End": true}}}"#;

    fn described(definition: &str, machine_type: &str) -> Vec<u8> {
        serde_json::to_vec(&serde_json::json!({"name": "Orders", "type": machine_type, "definition": definition})).expect("JSON")
    }

    #[test]
    fn a_sound_definition_is_valid() {
        let report = audit("a.json", EMPTY_PASS.as_bytes(), &Options::default()).expect("a definition");
        assert!(report.valid && report.diagnostics.is_empty());
    }

    #[test]
    fn the_description_of_a_machine_tells_its_type_unless_one_is_given() {
        let express = described(ACTIVITY, "EXPRESS");
        let standard = Options { machine_type: Some(MachineType::Standard), ..Options::default() };
        assert!(!audit("a.json", &express, &Options::default()).expect("a definition").valid);
        assert!(audit("a.json", &express, &standard).expect("a definition").valid);
        assert!(audit("a.json", &described(ACTIVITY, "STANDARD"), &Options::default()).expect("a definition").valid);
    }

    #[test]
    fn text_that_is_no_json_is_an_invalid_definition_with_its_place() {
        let report = audit("a.json", b"{\n  \"StartAt\": }", &Options::default()).expect("a verdict");
        assert!(!report.valid);
        assert_eq!((report.diagnostics[0].line, report.diagnostics[0].column), (2, 14));
        assert_eq!(report.lines[&2], "  \"StartAt\": }");
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        assert_eq!(audit("a.json", &[0xFF, 0xFE], &Options::default()).expect_err("no text"), SourceError::NotText);
    }
}
