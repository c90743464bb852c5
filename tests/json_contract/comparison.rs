//! Documents beside the page.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stepscope::model::Timestamp;

use super::page::{Field, Page, Shape};

/// Compares documents with the page, and remembers which fields had a value.
pub struct Comparison<'p> {
    page: &'p Page,
    filled: BTreeSet<(String, String)>,
    differences: BTreeSet<String>,
}

impl<'p> Comparison<'p> {
    pub fn new(page: &'p Page) -> Self {
        Self { page, filled: BTreeSet::new(), differences: BTreeSet::new() }
    }

    pub fn object(&mut self, name: &str, value: &Value) {
        let Some(members) = value.as_object() else {
            self.differences.insert(format!("{name} is {value}, which is no object"));
            return;
        };
        let fields = &self.page.objects[name];
        let row = value.get("row").and_then(Value::as_str);
        let expected = |field: &&Field| field.rows.is_empty() || row.is_some_and(|row| field.rows.iter().any(|known| known == row));
        for field in fields.iter().filter(expected) {
            match members.get(&field.name) {
                Some(value) => self.field(name, field, value),
                None => drop(self.differences.insert(format!("{name}: `{}` is on the page and not in the document", field.name))),
            }
        }
        for member in members.keys() {
            if !fields.iter().filter(expected).any(|field| field.name == *member) {
                self.differences.insert(format!("{name}: `{member}` is in the document and not on the page"));
            }
        }
    }

    fn field(&mut self, object: &str, field: &Field, value: &Value) {
        if !value.is_null() && *value != json!([]) {
            self.filled.insert((object.to_owned(), field.name.clone()));
        }
        self.value(&format!("{object}: `{}`", field.name), &field.shape, value);
    }

    fn value(&mut self, place: &str, shape: &Shape, value: &Value) {
        let text = value.as_str();
        let fits = match shape {
            Shape::Text => text.is_some(),
            Shape::Integer => value.is_i64(),
            Shape::Number => value.is_number(),
            Shape::IntegersByName => value.as_object().is_some_and(|members| members.values().all(Value::is_i64)),
            Shape::Boolean => value.is_boolean(),
            Shape::Time => text.is_some_and(|text| text.ends_with('Z') && text.parse::<Timestamp>().is_ok()),
            Shape::JsonText => text.is_some_and(|text| serde_json::from_str::<Value>(text).is_ok()),
            Shape::AnyJson => true,
            Shape::OrNull(_) if value.is_null() => true,
            Shape::OrNull(shape) => return self.value(place, shape, value),
            Shape::List(shape) => match value.as_array() {
                Some(items) => return items.iter().for_each(|item| self.value(place, shape, item)),
                None => false,
            },
            Shape::Pair(one, other) => match value.as_array().map(Vec::as_slice) {
                Some([first, second]) => {
                    self.value(place, one, first);
                    return self.value(place, other, second);
                }
                _ => false,
            },
            Shape::OneOf(names) => {
                let fields =
                    |name: &&String| -> BTreeSet<&str> { self.page.objects[*name].iter().map(|field| field.name.as_str()).collect() };
                let members: BTreeSet<&str> = value.as_object().into_iter().flatten().map(|(member, _)| member.as_str()).collect();
                match names.iter().find(|name| fields(name) == members) {
                    Some(name) => return self.object(name, value),
                    None => false,
                }
            }
            Shape::Named(name) => match self.page.values.get(name) {
                Some(values) => text.is_some_and(|text| values.iter().any(|known| known == text)),
                None => return self.object(name, value),
            },
        };
        if !fits {
            self.differences.insert(format!("{place} is {value}"));
        }
    }

    /// No difference, and every field of every object that the page has was seen with a value.
    pub fn finish(self, objects_elsewhere: &[&str]) {
        assert!(self.differences.is_empty(), "the program and docs/json.md differ:\n{}", Vec::from_iter(self.differences).join("\n"));
        let missing: Vec<String> = self
            .page
            .objects
            .iter()
            .filter(|(object, _)| !objects_elsewhere.contains(&object.as_str()))
            .flat_map(|(object, fields)| fields.iter().map(move |field| (object.clone(), field.name.clone())))
            .filter(|field| !self.filled.contains(field))
            .map(|(object, field)| format!("{object}: `{field}`"))
            .collect();
        assert!(missing.is_empty(), "no document had a value for\n{}", missing.join("\n"));
    }
}
