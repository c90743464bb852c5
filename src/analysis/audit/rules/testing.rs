//! What tests of rules share, and the test of their list.

use std::collections::BTreeSet;

use super::super::past::MachinePast;
use super::super::subject::Subject;
use super::{all, named};
use crate::asl::check::MachineType;
use crate::asl::source::Source;

/// Pointers of the places where a Standard machine breaks a rule.
pub fn found(rule: &str, definition: &str) -> Vec<String> {
    found_with(rule, definition, None)
}

/// The same, with what became of its executions.
pub fn found_with(rule: &str, definition: &str, past: Option<&MachinePast>) -> Vec<String> {
    found_as(rule, definition, past, MachineType::Standard)
}

/// The same for any kind of machine.
pub fn found_as(rule: &str, definition: &str, past: Option<&MachinePast>, machine_type: MachineType) -> Vec<String> {
    let source = Source::read(definition.as_bytes(), None).unwrap_or_else(|error| panic!("{error}: {definition}"));
    let mut subject = Subject::new(&source, machine_type);
    subject.past = past;
    let mut violations = Vec::new();
    (named(rule).expect("a rule").check)(&subject, &mut violations);
    violations.into_iter().map(|violation| violation.pointer).collect()
}

#[test]
fn ids_are_unique_and_sentences_are_whole() {
    let mut ids = BTreeSet::new();
    for rule in all() {
        assert!(ids.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.id.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()), "{}", rule.id);
        assert!(rule.reason.ends_with('.') && !rule.title.ends_with('.'), "{}", rule.id);
        assert!(rule.source.starts_with("https://"), "{}", rule.id);
    }
}
