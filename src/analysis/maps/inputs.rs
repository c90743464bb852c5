//! The input of a child as items that can be run again.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::text;

/// What an input is worth when its items are run again.
#[derive(Debug, PartialEq, Eq)]
pub enum Items<'i> {
    /// It is the item.
    One(&'i str),
    /// An ItemBatcher put these together.
    Several(Vec<&'i str>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Batch<'i> {
    #[serde(borrow)]
    items: Vec<&'i RawValue>,
    #[serde(borrow, default)]
    #[allow(dead_code, reason = "only that there is nothing else")]
    batch_input: Option<&'i RawValue>,
}

/// The items of an input; `batched` where the definition tells whether there is an ItemBatcher, by its form otherwise.
pub fn of(input: &str, batched: Option<bool>) -> Items<'_> {
    let text = input.trim();
    let may_be_batch = batched != Some(false) && text.starts_with('{') && text.contains("\"Items\"");
    match may_be_batch.then(|| serde_json::from_str::<Batch<'_>>(text)) {
        Some(Ok(batch)) => Items::Several(batch.items.into_iter().map(RawValue::get).collect()),
        _ => Items::One(text),
    }
}

/// An item on one line: white space between its tokens becomes a space, strings stay as they are. `None` for what is no JSON.
pub fn on_one_line(item: &str) -> Option<String> {
    serde_json::from_str::<&RawValue>(item).ok()?;
    Some(text::on_one_line(item).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_unfolded_and_anything_else_is_an_item() {
        assert_eq!(of(r#"{"Items":[1,{"a": 2}],"BatchInput":{"x":1}}"#, None), Items::Several(vec!["1", r#"{"a": 2}"#]));
        assert_eq!(of(r#"{"Items":[]}"#, None), Items::Several(Vec::new()));
        for input in [r#"{"Items":[1],"order":7}"#, r#"{"items":[1]}"#, "[1]", "7", r#"{"Items":1}"#] {
            assert_eq!(of(input, None), Items::One(input));
        }
        assert_eq!(of(r#"{"Items":[1]}"#, Some(false)), Items::One(r#"{"Items":[1]}"#));
    }

    #[test]
    fn a_line_of_json_lines_has_no_breaks() {
        assert_eq!(on_one_line("{\n  \"a\": \"x\\ny\"\r\n}").as_deref(), Some("{ \"a\": \"x\\ny\"  }"));
        assert_eq!(on_one_line("{\"a\":"), None);
        assert_eq!(on_one_line("{\"a\": 1}").as_deref(), Some("{\"a\": 1}"));
    }
}
