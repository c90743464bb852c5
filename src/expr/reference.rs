//! Reference paths: those that name one place, and can be written to.

use std::rc::Rc;

use super::cursor::Cursor;
use super::path::PlaceStep;
use super::path::parse::{Ending, lookup_at};
use super::{EvaluationError, Object, SyntaxError, Value};

/// A path that names a single place, such as `$.a.b[0]`.
#[derive(Debug, Clone)]
pub struct ReferencePath {
    text: String,
    steps: Vec<PlaceStep>,
}

impl ReferencePath {
    /// Parses a reference path: no `@`, `,`, `:`, `?`, `*`, `..`.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let lookup = lookup_at(&mut cursor, Ending::Text)?;
        let error = |message: &str| SyntaxError { message: message.to_owned(), at: 0, text: text.to_owned() };
        if !cursor.is_at_end() {
            return Err(cursor.error("expected the end of the path"));
        }
        let steps = lookup.place_steps().ok_or_else(|| error("a reference path begins with '$.' or '$[' and names a single place"))?;
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `into` with `value` at this place; missing objects are made, an array index must exist. Only the objects on the way are copied.
    pub fn insert(&self, into: &Value, value: Value) -> Result<Value, EvaluationError> {
        self.insert_owned(into.clone(), value)
    }

    /// As [`insert`](Self::insert). What nobody else holds is changed where it is, without a copy.
    pub fn insert_owned(&self, mut into: Value, value: Value) -> Result<Value, EvaluationError> {
        if self.steps.is_empty() {
            return Ok(value);
        }
        // Looked up before anything changes, so that the error can repeat the input as it was.
        if !self.fits(&into) {
            return Err(EvaluationError {
                error: "States.ReferencePathConflict",
                cause: format!("Unable to apply ReferencePath {} to input {}", self.text, into.to_json()),
                location: None,
            });
        }
        if let Some(place) = place_mut(&mut into, &self.steps) {
            *place = value;
        }
        Ok(into)
    }

    /// Whether there is such a place, or it can be made.
    fn fits(&self, into: &Value) -> bool {
        let mut at = Some(into);
        for step in &self.steps {
            at = match (step, at) {
                (PlaceStep::Member(name), Some(Value::Object(object))) => object.get(name),
                (PlaceStep::Item(index), Some(Value::Array(items))) if *index < items.len() => items.get(*index),
                // Below something that is not there yet only objects can be made.
                (PlaceStep::Member(_), None) => None,
                _ => return false,
            };
        }
        true
    }
}

/// The place to be written. What is not there becomes an object, or null at the end.
fn place_mut<'v>(into: &'v mut Value, steps: &[PlaceStep]) -> Option<&'v mut Value> {
    let mut at = into;
    for (position, step) in steps.iter().enumerate() {
        at = match (step, at) {
            (PlaceStep::Member(name), Value::Object(object)) => {
                let object = Rc::make_mut(object);
                if !object.contains(name) {
                    let last = position + 1 == steps.len();
                    object.insert(Rc::clone(name), if last { Value::Null } else { Value::from(Object::default()) });
                }
                object.get_mut(name)?
            }
            (PlaceStep::Item(index), Value::Array(items)) => Rc::make_mut(items).get_mut(*index)?,
            _ => return None,
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inserted(path: &str, into: &str) -> Result<String, String> {
        let path = ReferencePath::parse(path).map_err(|error| error.to_string())?;
        let into = Value::parse(into).expect("JSON");
        path.insert(&into, Value::from("new")).map(|value| value.to_json()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_goes_to_its_place_and_missing_objects_are_made() {
        for (path, into, result) in [
            ("$", r#"{"a":1}"#, r#""new""#),
            ("$.a", r#"{"a":1,"b":2}"#, r#"{"a":"new","b":2}"#),
            ("$.c", r#"{"a":1}"#, r#"{"a":1,"c":"new"}"#),
            ("$.x.y['z z']", "{}", r#"{"x":{"y":{"z z":"new"}}}"#),
            ("$.list[1].a", r#"{"list":[0,{"a":1}]}"#, r#"{"list":[0,{"a":"new"}]}"#),
            ("$[0]", "[1,2]", r#"["new",2]"#),
        ] {
            assert_eq!(inserted(path, into).as_deref(), Ok(result), "{path}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_made_is_a_conflict() {
        for (path, into) in [("$.a", r#""text""#), ("$.a.b", r#"{"a":1}"#), ("$.a[0]", "{}"), ("$.a[2]", r#"{"a":[1,2]}"#), ("$.a", "null")]
        {
            let conflict = format!("States.ReferencePathConflict: Unable to apply ReferencePath {path} to input {into}");
            assert_eq!(inserted(path, into), Err(conflict));
        }
    }

    #[test]
    fn what_names_more_than_one_place_is_no_reference_path() {
        for path in
            ["$.a[*]", "$..a", "$.a[?(@.b)]", "$.a[0,1]", "$.a[0:1]", "$['a','b']", "$$.a", "$variable", "a", "", "$.a.length()", "$.a[-1]"]
        {
            assert!(ReferencePath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn only_the_way_is_copied() {
        let into = Value::parse(r#"{"large":{"a":[1,2,3]},"small":{}}"#).expect("JSON");
        let result = ReferencePath::parse("$.small.x").expect("a path").insert(&into, Value::Null).expect("fits");
        let (Some(Value::Object(before)), Some(Value::Object(after))) = (into.get("large"), result.get("large")) else { panic!("objects") };
        assert!(Rc::ptr_eq(before, after));
    }
}
