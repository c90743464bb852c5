//! Rules of a Choice.

use super::super::machine::QueryLanguage;
use super::super::source::Content;
use super::Checker;
use super::expressions::Sight;
use super::fields::{COMPARISON, Field, NESTED_RULE, RULE, Shape};
use super::spot::Spot;

impl<'s> Checker<'s> {
    /// The rules of a Choice.
    pub(super) fn choice(&mut self, choice: &Spot<'_, 's>, language: QueryLanguage) {
        self.required(choice, &["Choices"]);
        let Some(rules) = choice.member("Choices") else { return };
        self.not_empty(&rules);
        for rule in rules.items() {
            self.rule(&rule, language);
        }
    }

    fn rule(&mut self, rule: &Spot<'_, 's>, language: QueryLanguage) {
        let sight = Sight::plain(language);
        if !rule.node.is_object() {
            return self.shape(rule, Shape::Object, sight);
        }
        self.fields(rule, &[RULE, COMPARISON], sight);
        if let Some(assign) = rule.member("Assign") {
            self.assign(&assign, sight);
        }
        match language {
            QueryLanguage::Jsonata => self.required(rule, &["Condition", "Next"]),
            QueryLanguage::JsonPath => {
                self.required(rule, &["Next"]);
                self.comparison(rule);
            }
        }
    }

    /// A rule inside And, Or or Not: it leads nowhere.
    fn nested(&mut self, rule: &Spot<'_, 's>) {
        let sight = Sight::plain(QueryLanguage::JsonPath);
        if !rule.node.is_object() {
            return self.shape(rule, Shape::Object, sight);
        }
        self.fields(rule, &[NESTED_RULE, COMPARISON], sight);
        self.comparison(rule);
    }

    /// Exactly one comparison with its variable, or exactly one of And, Or and Not.
    fn comparison(&mut self, rule: &Spot<'_, 's>) {
        let is_operator = |field: &&Field| field.name != "Variable" && rule.node.get(field.name).is_some();
        let operators: Vec<&str> = COMPARISON.iter().filter(is_operator).map(|field| field.name).collect();
        match operators.as_slice() {
            [] => self.error(rule, "A rule has one comparison, or one of And, Or and Not, and this has none"),
            [joint @ ("And" | "Or" | "Not")] => {
                if let Some(variable) = rule.node.member("Variable") {
                    self.error(&rule.marking(variable.name_span), format!("Field 'Variable' is not supported beside '{joint}'"));
                }
                self.joint(rule, joint);
            }
            [_] => self.required(rule, &["Variable"]),
            several => self.error(rule, format!("A rule has one comparison, and this has {}: [{}]", several.len(), several.join(", "))),
        }
    }

    fn joint(&mut self, rule: &Spot<'_, 's>, joint: &str) {
        let Some(inner) = rule.member(joint) else { return };
        if joint == "Not" {
            if inner.node.is_object() {
                self.nested(&inner);
            }
            return;
        }
        self.not_empty(&inner);
        for rule in inner.items() {
            self.nested(&rule);
        }
    }

    /// A list that must hold something; that it is a list is said elsewhere.
    pub(super) fn not_empty(&mut self, list: &Spot<'_, 's>) {
        if matches!(&list.node.content, Content::Array(items) if items.is_empty()) {
            self.error(list, format!("The field '{}' must not be empty", list.name()));
        }
    }
}
