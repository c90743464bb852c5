//! Definitions of state machines from a folder of files.

use std::collections::HashMap;
use std::path::Path;

use super::documents::Read;
use super::error::{Place, SourceError};
use super::files::read_file;
use super::folder::walk;
use super::limits::Limits;
use crate::model::{ExecutionHeader, RawText, StateMachineArn};

/// Definitions, found by the ARN of their state machine or by its name.
#[derive(Debug, Default)]
pub struct DefinitionSet {
    definitions: Vec<Entry>,
    by_arn: HashMap<String, usize>,
    /// `None` for a name that several machines have: it tells nothing.
    by_name: HashMap<String, Option<usize>>,
}

#[derive(Debug)]
struct Entry {
    text: RawText,
    origin: String,
}

impl DefinitionSet {
    /// How many definitions there are.
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The definition of the state machine that the execution ran: by its ARN, else by its name.
    ///
    /// The only definition of a set is also that of an execution which names no state machine.
    pub fn find(&self, header: &ExecutionHeader) -> Option<RawText> {
        let Some(arn) = header.state_machine_arn.clone().or_else(|| header.arn.as_ref().map(crate::model::ExecutionArn::state_machine))
        else {
            return match self.definitions.as_slice() {
                [only] => Some(only.text.clone()),
                _ => None,
            };
        };
        let exact = self.by_arn.get(arn.as_str()).or_else(|| self.by_arn.get(arn.unqualified()));
        let found = exact.copied().or_else(|| self.by_name.get(arn.name()).copied().flatten())?;
        Some(self.definitions[found].text.clone())
    }

    /// Adds one; a second, different one of the same state machine is refused.
    fn add(&mut self, arn: Option<&StateMachineArn>, name: &str, text: RawText, origin: &str) -> Result<(), SourceError> {
        let key = arn.map(ToString::to_string);
        let known = match &key {
            Some(key) => self.by_arn.get(key).copied(),
            // Two files of one name without an ARN, such as copies in two folders, say the same or contradict each other.
            None => self.by_name.get(name).copied().flatten(),
        };
        if let Some(known) = known {
            let known = &self.definitions[known];
            if known.text == text {
                return Ok(());
            }
            let machine = key.unwrap_or_else(|| name.to_owned());
            return Err(SourceError::SecondDefinition { origin: origin.to_owned(), machine, first: known.origin.clone() });
        }
        let at = self.definitions.len();
        self.definitions.push(Entry { text, origin: origin.to_owned() });
        self.by_name.entry(name.to_owned()).and_modify(|entry| *entry = None).or_insert(Some(at));
        if let Some(key) = key {
            self.by_arn.insert(key, at);
        }
        Ok(())
    }
}

/// Reads the definitions below a folder, or in one file: bare ones, and the outputs of describe-state-machine and
/// describe-state-machine-for-execution. A bare one goes by its file's name without the ending.
///
/// Other files are errors of the kind [`SourceError::NotADefinition`], and the rest is read all the same.
pub fn read_definitions(path: &Path, limits: &Limits) -> (DefinitionSet, Vec<SourceError>) {
    let mut set = DefinitionSet::default();
    let mut errors = Vec::new();
    if path.is_dir() {
        let mut files = Vec::new();
        walk(path, limits, &mut |_, found| files.extend(found), &mut |error| errors.push(error));
        for file in &files {
            read_one(file, limits, &mut set, &mut errors);
        }
    } else {
        read_one(path, limits, &mut set, &mut errors);
    }
    (set, errors)
}

fn read_one(file: &Path, limits: &Limits, set: &mut DefinitionSet, errors: &mut Vec<SourceError>) {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let origin = file.display().to_string();
    let mut has_history = false;
    read_file(file, limits, &mut |part| match part.map_err(|rejected| rejected.error) {
        Ok(Read::Message(..)) => has_history = true,
        Ok(Read::Part(part, _)) => match part.definition {
            Some(found) => {
                let name = found.name.or_else(|| found.arn.as_ref().map(|arn| arn.name().to_owned())).unwrap_or_else(|| stem.clone());
                errors.extend(set.add(found.arn.as_ref(), &name, found.text, &origin).err());
            }
            None => has_history = true,
        },
        Err(SourceError::NotAHistory { place, found }) => errors.push(SourceError::NotADefinition { place, found }),
        Err(error) => errors.push(error),
    });
    if has_history {
        errors.push(SourceError::NotADefinition { place: Place::whole(&origin), found: "executions without their definition".to_owned() });
    }
}
