//! The world of an execution that is run here: answers as they were set up, folders as buckets, files as state machines.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::answering::Answering;
use super::buckets::Buckets;
use super::definition::Definition;
use crate::interpreter::{Child, ObjectError, ObjectSummary, TaskAnswer, TaskRequest, Unanswered, World};

/// What is the same for every execution of a run.
#[derive(Debug, Default)]
pub struct Setup {
    /// Who answers which state.
    pub answering: Answering,
    /// `--s3`.
    pub buckets: Buckets,
    /// `--machine`: by ARN or name.
    pub machines: Vec<(String, Definition)>,
}

/// The world of one execution and its children.
#[derive(Debug)]
pub struct LocalWorld<'s> {
    setup: &'s Setup,
    /// How many attempts there were, by state machine and state; those that a scope has answers for are counted by themselves.
    attempts: HashMap<Rc<str>, HashMap<String, u64>>,
}

impl<'s> LocalWorld<'s> {
    /// A world in which nothing has happened.
    pub fn new(setup: &'s Setup) -> Self {
        Self { setup, attempts: HashMap::new() }
    }

    /// Counts an attempt; gives how many there were before.
    fn count(&mut self, request: &TaskRequest<'_>) -> u64 {
        let of_machine = match self.attempts.get_mut(&request.attempted.execution.machine_arn) {
            Some(known) => known,
            None => self.attempts.entry(Rc::clone(&request.attempted.execution.machine_arn)).or_default(),
        };
        let state = request.attempted.state;
        let counted = self.setup.answering.own_scope(request).map_or(Cow::Borrowed(state), |scope| format!("{scope}/{state}").into());
        if let Some(count) = of_machine.get_mut(&*counted) {
            *count += 1;
            return *count - 1;
        }
        of_machine.insert(counted.into_owned(), 1);
        0
    }
}

impl World for LocalWorld<'_> {
    fn attempt(&mut self, request: &TaskRequest<'_>) -> Result<TaskAnswer, Unanswered> {
        let earlier = self.count(request);
        self.setup.answering.attempt(request, earlier)
    }

    fn machine(&mut self, arn: &str) -> Option<Child> {
        self.setup.machines.iter().find(|(known, _)| names(known, arn)).map(|(_, definition)| definition.child())
    }

    fn read_object(&mut self, bucket: &str, key: &str) -> Result<Vec<u8>, ObjectError> {
        self.setup.buckets.read(bucket, key)
    }

    fn list_objects(&mut self, bucket: &str, prefix: &str) -> Result<Vec<ObjectSummary>, ObjectError> {
        self.setup.buckets.list(bucket, prefix)
    }

    fn write_object(&mut self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        self.setup.buckets.write(bucket, key, bytes)
    }
}

/// Whether a name, or an ARN without version and alias, is meant by the ARN that a Task starts.
fn names(known: &str, arn: &str) -> bool {
    if known == arn || arn.strip_prefix(known).is_some_and(|rest| rest.starts_with(':')) {
        return true;
    }
    // arn:P:states:R:A:stateMachine:NAME[:VERSION-OR-ALIAS]
    arn.split(':').nth(5) == Some("stateMachine") && arn.split(':').nth(6) == Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_found_by_name_and_by_arn_with_and_without_version() {
        let arn = "arn:aws:states:us-east-1:111111111111:stateMachine:Pay";
        for known in [arn, "Pay"] {
            assert!(names(known, arn) && names(known, &format!("{arn}:7")), "{known}");
            assert!(!names(known, "arn:aws:states:us-east-1:111111111111:stateMachine:Payments"), "{known}");
        }
        assert!(!names("arn:aws:states", arn.trim_start_matches("arn:aws:states")));
        assert!(!names("Pay", "arn:aws:states:us-east-1:111111111111:activity:Pay"));
    }
}
