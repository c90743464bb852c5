//! The list of rules, for readers and for documents.

use serde::Serialize;

use super::rule::{Level, Rule};
use super::rules;

/// All rules.
#[derive(Debug, Clone, Serialize)]
pub struct RuleList {
    /// `stepscope.audit-rules/1`.
    pub schema: &'static str,
    /// By id.
    pub rules: Vec<ListedRule>,
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct ListedRule {
    /// Its id.
    pub rule: &'static str,
    /// How bad it is to break it.
    pub level: Level,
    /// What it asks for.
    pub title: &'static str,
    /// Why.
    pub reason: &'static str,
    /// Where the reason is written down.
    pub source: &'static str,
}

/// The list of these rules, by id.
pub fn list(wanted: impl Fn(&Rule) -> bool) -> RuleList {
    let mut rules: Vec<ListedRule> = rules::all()
        .filter(|rule| wanted(rule))
        .map(|rule| ListedRule { rule: rule.id, level: rule.level, title: rule.title, reason: rule.reason, source: rule.source })
        .collect();
    rules.sort_by_key(|rule| rule.rule);
    RuleList { schema: "stepscope.audit-rules/1", rules }
}
