//! The rules of a Choice.

use super::fields::Fields;
use super::{CompileError, Compiler, Place};
use crate::asl::machine::{ChoiceRule, Comparison, Condition, Kind, Operand, Order, QueryLanguage};
use crate::expr::Value;

/// The last part of an operator that compares: what must hold between the two values.
const ORDERS: [(&str, Order); 5] = [
    ("Equals", Order::Equals),
    ("LessThan", Order::LessThan),
    ("GreaterThan", Order::GreaterThan),
    ("LessThanEquals", Order::LessThanEquals),
    ("GreaterThanEquals", Order::GreaterThanEquals),
];

impl Compiler {
    pub(super) fn choice(&mut self, fields: &Fields<'_>, language: QueryLanguage, place: &mut Place<'_>) -> Result<Kind, CompileError> {
        let default = self.target(fields, "Default", place.names, place.block)?;
        let mut rules = Vec::new();
        for (position, rule) in fields.objects("Choices")?.into_iter().enumerate() {
            let part = format!("Choices[{position}]/");
            let next = self.target(&rule, "Next", place.names, place.block)?;
            rules.push(ChoiceRule {
                condition: condition(&rule, language)?,
                next: next.ok_or_else(|| rule.error("Next is missing: where does this rule lead?"))?,
                assign: rule.template_in(&part, "Assign", language)?,
                output: if language == QueryLanguage::Jsonata { rule.template_in(&part, "Output", language)? } else { None },
            });
        }
        Ok(Kind::Choice { rules, default })
    }
}

fn condition(rule: &Fields<'_>, language: QueryLanguage) -> Result<Condition, CompileError> {
    match language {
        QueryLanguage::JsonPath => comparison_or_connective(rule),
        QueryLanguage::Jsonata => match (rule.query("Condition")?, rule.get("Condition")) {
            (Some(query), _) => Ok(Condition::Query(query)),
            (None, Some(Value::Bool(truth))) => Ok(Condition::Literal(*truth)),
            (None, Some(_)) => Err(rule.error_in("Condition", "must be true, false or an expression {% … %}")),
            (None, None) => Err(rule.error("Condition is missing")),
        },
    }
}

/// Recursion ends with the nesting that the JSON parser takes.
fn comparison_or_connective(rule: &Fields<'_>) -> Result<Condition, CompileError> {
    let all = |field| rule.objects(field)?.iter().map(comparison_or_connective).collect::<Result<Vec<_>, _>>();
    if rule.get("And").is_some() {
        return Ok(Condition::And(all("And")?));
    }
    if rule.get("Or").is_some() {
        return Ok(Condition::Or(all("Or")?));
    }
    if let Some(negated) = rule.object("Not")? {
        return Ok(Condition::Not(Box::new(comparison_or_connective(&negated)?)));
    }
    let variable = rule.path("Variable")?.ok_or_else(|| rule.error("Variable is missing"))?;
    // The first operator counts; a second is for the checker.
    for (field, value) in rule.object.iter() {
        if let Some(comparison) = comparison(rule, field, value)? {
            return Ok(Condition::Compare { variable, comparison });
        }
    }
    Err(rule.error("the rule has no comparison operator"))
}

/// The comparison that a field stands for; `None` when it is no operator.
fn comparison(rule: &Fields<'_>, field: &str, value: &Value) -> Result<Option<Comparison>, CompileError> {
    let truth = || value.as_bool().ok_or_else(|| rule.error_in(field, "must be true or false"));
    Ok(Some(match field {
        "IsNull" => Comparison::IsNull(truth()?),
        "IsPresent" => Comparison::IsPresent(truth()?),
        "IsString" => Comparison::IsString(truth()?),
        "IsNumeric" => Comparison::IsNumeric(truth()?),
        "IsBoolean" => Comparison::IsBoolean(truth()?),
        "IsTimestamp" => Comparison::IsTimestamp(truth()?),
        "StringMatches" => Comparison::StringMatches(rule.wanted_text(field)?.clone()),
        _ => return ordered(rule, field, value),
    }))
}

/// `<Type><Order>` or `<Type><Order>Path`.
fn ordered(rule: &Fields<'_>, field: &str, value: &Value) -> Result<Option<Comparison>, CompileError> {
    let by_path = field.strip_suffix("Path");
    let operator = by_path.unwrap_or(field);
    let kinds = ["String", "Numeric", "Timestamp", "Boolean"];
    let Some((kind, order)) = kinds.iter().find_map(|kind| {
        let suffix = operator.strip_prefix(kind)?;
        ORDERS.iter().find(|(name, _)| *name == suffix).map(|(_, order)| (*kind, *order))
    }) else {
        return Ok(None);
    };
    let path = if by_path.is_some() { rule.path(field)? } else { None };
    let operand = path.map_or_else(|| Operand::Literal(value.clone()), Operand::Path);
    Ok(match (kind, order) {
        ("String", order) => Some(Comparison::String(order, operand)),
        ("Numeric", order) => Some(Comparison::Numeric(order, operand)),
        ("Timestamp", order) => Some(Comparison::Timestamp(order, operand)),
        (_, Order::Equals) => Some(Comparison::Boolean(operand)),
        // There is no order among truth values.
        _ => None,
    })
}
