//! An input as attributes: scalars by their path, arrays by their length and elements.

use std::sync::Arc;

use serde_json::Value;

use super::cell::{Cell, Texts};
use super::row::{Field, Kind};
use crate::analysis::selection::is_plain;

/// Members of members of members: deeper ones are not looked at.
const DEEPEST: usize = 3;
/// Elements of longer arrays are not looked at.
const LONGEST_ARRAY: usize = 20;
/// Attributes of one input; what comes after them is not looked at.
const MOST: usize = 200;

/// What the service adds to the input of executions that an execution started.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// Adds the attributes of an input.
pub(super) fn flatten(input: &Value, texts: &mut Texts, fields: &mut Vec<Field>) {
    let mut flattening = Flattening { texts, fields };
    flattening.value("input", input, DEEPEST, false);
}

struct Flattening<'a> {
    texts: &'a mut Texts,
    fields: &'a mut Vec<Field>,
}

impl Flattening<'_> {
    fn value(&mut self, path: &str, value: &Value, depth: usize, within_array: bool) {
        if self.fields.len() >= MOST {
            return;
        }
        let cell = Cell::of(value, self.texts);
        self.add(path, cell, within_array);
        match value {
            Value::Object(members) if depth > 0 => {
                for (name, member) in members.iter().filter(|(name, _)| *name != STARTED_BY) {
                    let path = if is_plain(name) { format!("{path}.{name}") } else { format!("{path}['{name}']") };
                    self.value(&path, member, depth - 1, within_array);
                }
            }
            Value::Array(items) => {
                #[allow(clippy::cast_precision_loss, reason = "no array has 2^52 elements")]
                self.add(&format!("length({path})"), Cell::Number(items.len() as f64), within_array);
                if depth > 0 && items.len() <= LONGEST_ARRAY && !within_array {
                    for item in items {
                        self.value(&format!("{path}[*]"), item, depth - 1, true);
                    }
                }
            }
            _ => {}
        }
    }

    /// Elements that are alike say the same once.
    fn add(&mut self, name: &str, cell: Cell, within_array: bool) {
        let name: Arc<str> = self.texts.keep(name);
        let field = Field { name, kind: Kind::Input, cell };
        if !within_array || !self.fields.contains(&field) {
            self.fields.push(field);
        }
    }
}
