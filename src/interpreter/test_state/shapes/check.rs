//! Whether a mocked result has the shape of an API's answer, in the service's words.

use super::table::{Member, Range, Shape, Table};
use crate::expr::Value;

/// Checks `result` against the shape of this number. The first thing that does not fit is told as the service tells it.
///
/// With `strict` members that the API always answers must be there. Members that the API does not know are let through, and
/// so is whatever a pattern would refuse: the service checks types, values of enums, ranges and lengths.
pub fn check(table: &Table, shape: usize, result: &Value, strict: bool) -> Result<(), String> {
    Checker { table, strict }.value(result, shape, "")
}

struct Checker<'a> {
    table: &'a Table,
    strict: bool,
}

impl Checker<'_> {
    /// The depth of a value is bounded by whoever parsed it, so that shapes that hold themselves end.
    fn value(&self, value: &Value, shape: usize, field: &str) -> Result<(), String> {
        match self.table.shape(shape) {
            Shape::Anything => Ok(()),
            Shape::String { length, values } => {
                let text = value.as_str().ok_or_else(|| must_be(field, "a string"))?;
                if !values.is_empty() && !values.iter().any(|known| known == text) {
                    return Err(format!("Field '{field}' is not an expected value"));
                }
                within(*length, text.chars().count(), field)
            }
            Shape::Blob { length } => {
                let text = value.as_str().ok_or_else(|| must_be(field, "a string"))?;
                within(*length, text.chars().count(), field)
            }
            Shape::Timestamp => value.as_str().map(|_| ()).ok_or_else(|| must_be(field, "a string")),
            Shape::Boolean => value.as_bool().map(|_| ()).ok_or_else(|| must_be(field, "a boolean")),
            Shape::Number { range } => {
                let number = value.as_number().ok_or_else(|| must_be(field, "a number"))?.as_f64();
                bounded(*range, number, field, "value")
            }
            Shape::List { item, length } => {
                let items = value.as_array().ok_or_else(|| must_be(field, "an array"))?;
                within(*length, items.len(), field)?;
                items.iter().try_for_each(|value| self.value(value, *item, field))
            }
            Shape::Map { value: shape } => {
                let object = value.as_object().ok_or_else(|| must_be(field, "an object"))?;
                object.iter().try_for_each(|(name, value)| self.value(value, *shape, name))
            }
            Shape::Structure { members } => self.structure(value, members, field),
        }
    }

    fn structure(&self, value: &Value, members: &[Member], field: &str) -> Result<(), String> {
        let object = value.as_object().ok_or_else(|| must_be(field, "an object"))?;
        if self.strict {
            let missing = members.iter().find(|member| member.required && !object.iter().any(|(name, _)| member.is_named(name)));
            if let Some(member) = missing {
                return Err(format!("Required field '{}' is missing", member.name));
            }
        }
        object.iter().try_for_each(|(name, value)| match members.iter().find(|member| member.is_named(name)) {
            Some(member) => self.value(value, member.shape, name),
            None => Ok(()),
        })
    }
}

fn must_be(field: &str, what: &str) -> String {
    if field.is_empty() { format!("Mock result must be {what}") } else { format!("Field '{field}' must be {what}") }
}

fn within(range: Range, length: usize, field: &str) -> Result<(), String> {
    #[allow(clippy::cast_precision_loss, reason = "lengths of what is in memory are far below 2^52")]
    bounded(range, length as f64, field, "length")
}

fn bounded(range: Range, number: f64, field: &str, of_what: &str) -> Result<(), String> {
    if range.least.is_some_and(|least| number < least) {
        return Err(format!("Field '{field}' is smaller than the minimum {of_what}"));
    }
    if range.most.is_some_and(|most| number > most) {
        return Err(format!("Field '{field}' exceeds the maximum {of_what}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "service\tother\nshape\to\nop\tget\t0\nservice\tshop\nshape\ts\t1..4\nshape\ts\t\tNEW|PAID\nshape\ti\t0..10\n\
        shape\tl\t0\t..2\nshape\tm\t2\nshape\tb\t1..\nshape\t{\tId!:0\tState:1\tCount:2\tTags:3\tStock:4\tKMSKey/KmsKey:5\tInner:6\tAt:7\t\
        Open:8\tAny:9\nshape\tt\nshape\to\nshape\t*\nop\tget\t6\n";

    fn checked(result: &str, strict: bool) -> Result<(), String> {
        let table = Table::of_service(TABLE, "shop").expect("the service");
        let shape = table.operation("get").expect("the operation");
        check(&table, shape, &Value::parse(result).expect("JSON"), strict)
    }

    #[test]
    fn an_answer_of_the_right_shape_passes() {
        for result in [
            r#"{"Id":"a","State":"PAID","Count":10,"Tags":["a","bb"],"Stock":{"x":1},"KMSKey":"k","At":"now","Open":true,"Any":[{}]}"#,
            r#"{"Id":"a","KmsKey":"k","Inner":{"Id":"b"},"NotOfTheApi":{"a":1}}"#,
        ] {
            assert_eq!(checked(result, true), Ok(()), "{result}");
        }
    }

    #[test]
    fn the_first_thing_that_does_not_fit_is_told() {
        for (result, told) in [
            (r#"{"Id":1}"#, "Field 'Id' must be a string"),
            (r#"{"Id":null}"#, "Field 'Id' must be a string"),
            (r#"{"Id":""}"#, "Field 'Id' is smaller than the minimum length"),
            (r#"{"Id":"abcde"}"#, "Field 'Id' exceeds the maximum length"),
            (r#"{"State":"SOLD"}"#, "Field 'State' is not an expected value"),
            (r#"{"Count":"1"}"#, "Field 'Count' must be a number"),
            (r#"{"Count":-1}"#, "Field 'Count' is smaller than the minimum value"),
            (r#"{"Count":11}"#, "Field 'Count' exceeds the maximum value"),
            (r#"{"Tags":"a"}"#, "Field 'Tags' must be an array"),
            (r#"{"Tags":["a",["b"]]}"#, "Field 'Tags' must be a string"),
            (r#"{"Tags":["a","b","c"]}"#, "Field 'Tags' exceeds the maximum length"),
            (r#"{"Stock":[]}"#, "Field 'Stock' must be an object"),
            (r#"{"Stock":{"x":"1"}}"#, "Field 'x' must be a number"),
            (r#"{"KmsKey":7}"#, "Field 'KmsKey' must be a string"),
            (r#"{"KMSKey":""}"#, "Field 'KMSKey' is smaller than the minimum length"),
            (r#"{"Inner":{"Id":true}}"#, "Field 'Id' must be a string"),
            (r#"{"At":1764103483}"#, "Field 'At' must be a string"),
            (r#"{"Open":"true"}"#, "Field 'Open' must be a boolean"),
            (r#""text""#, "Mock result must be an object"),
        ] {
            assert_eq!(checked(result, false), Err(told.to_owned()), "{result}");
        }
    }

    #[test]
    fn only_a_strict_check_misses_members_and_names_are_in_the_case_of_step_functions() {
        assert_eq!(checked("{}", false), Ok(()));
        assert_eq!(checked("{}", true), Err("Required field 'Id' is missing".to_owned()));
        assert_eq!(checked(r#"{"id":7}"#, false), Ok(()));
        assert_eq!(checked(r#"{"id":"a"}"#, true), Err("Required field 'Id' is missing".to_owned()));
        assert_eq!(checked(r#"{"Id":"a","Inner":{}}"#, true), Err("Required field 'Id' is missing".to_owned()));
    }
}
