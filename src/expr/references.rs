//! What a JSONata expression refers to, told from its text alone.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, PathStep, Stage};
use jsonata_core::parser;

use super::SyntaxError;

/// What an expression refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Names that are looked up in the context item where there is none: the service evaluates without one.
    pub top_level: BTreeSet<String>,
    /// Whether `$$` is among them.
    pub root: bool,
    /// Members of `$states`: `input`, `result`, `errorOutput`, `context`.
    pub of_states: BTreeSet<String>,
}

/// What the expression between `{%` and `%}` refers to.
pub fn references(text: &str) -> Result<References, SyntaxError> {
    let tree = parser::parse(text).map_err(|error| SyntaxError { message: error.to_string(), at: 0, text: text.to_owned() })?;
    let mut found = References::default();
    found.look(&tree, false);
    Ok(found)
}

impl References {
    /// `in_context` says whether there is a context item: inside a path behind its first step, a predicate, a function's body.
    /// The tree is no deeper than the parser allows.
    fn look(&mut self, node: &AstNode, in_context: bool) {
        match node {
            AstNode::Name(name) if !in_context => drop(self.top_level.insert(name.clone())),
            AstNode::Variable(name) if name == "$" => self.root = true,
            AstNode::ParentVariable(name) if name.is_empty() || name == "$" => self.root = true,
            AstNode::Path { steps } => self.look_at_path(steps, in_context),
            AstNode::Binary { lhs, rhs, .. } => self.look_at([&**lhs, &**rhs], in_context),
            AstNode::Unary { operand, .. } => self.look(operand, in_context),
            AstNode::Function { args, .. } | AstNode::Array(args) | AstNode::Block(args) => self.look_at(args, in_context),
            AstNode::Call { procedure, args } => {
                self.look(procedure, in_context);
                self.look_at(args, in_context);
            }
            AstNode::Object(pairs) => self.look_at(pairs.iter().flat_map(|(name, value)| [name, value]), in_context),
            AstNode::Conditional { condition, then_branch, else_branch } => {
                self.look_at([&**condition, &**then_branch], in_context);
                self.look_at(else_branch.as_deref(), in_context);
            }
            AstNode::ObjectTransform { input, pattern } => {
                self.look(input, in_context);
                self.look_at(pattern.iter().flat_map(|(name, value)| [name, value]), true);
            }
            AstNode::Sort { input, terms } => {
                self.look(input, in_context);
                self.look_at(terms.iter().map(|(term, _)| term), true);
            }
            AstNode::ArrayGroup(items) => self.look_at(items, true),
            // What a function is called on is not known here.
            AstNode::Lambda { body, .. } => self.look(body, true),
            AstNode::FunctionApplication(inner) => self.look(inner, true),
            AstNode::Transform { location, update, delete } => {
                self.look_at([&**location, &**update], true);
                self.look_at(delete.as_deref(), true);
            }
            _ => {}
        }
    }

    fn look_at<'n>(&mut self, nodes: impl IntoIterator<Item = &'n AstNode>, in_context: bool) {
        for node in nodes {
            self.look(node, in_context);
        }
    }

    fn look_at_path(&mut self, steps: &[PathStep], in_context: bool) {
        if let [PathStep { node: AstNode::Variable(variable), .. }, PathStep { node: AstNode::Name(member), .. }, ..] = steps
            && variable == "states"
        {
            self.of_states.insert(member.clone());
        }
        for (position, step) in steps.iter().enumerate() {
            self.look(&step.node, in_context || position > 0);
            let filters = step.stages.iter().filter_map(|stage| match stage {
                Stage::Filter(filter) => Some(&**filter),
                Stage::KeepArray | Stage::Index(_) => None,
            });
            self.look_at(filters, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn top_level(text: &str, names: &[&str]) {
        let found = references(text).expect("it parses");
        assert_eq!(found.top_level.iter().map(String::as_str).collect::<Vec<_>>(), names, "{text}");
    }

    #[test]
    fn names_are_looked_up_where_there_is_nothing_to_look_in() {
        top_level("phone", &["phone"]);
        top_level("phone.number", &["phone"]);
        top_level("{'a': b, 'c': $sum(d)}", &["b", "d"]);
        top_level("$x > limit ? 1 : other", &["limit", "other"]);
    }

    #[test]
    fn names_inside_of_something_are_no_matter() {
        top_level("$states.input.phone", &[]);
        top_level("$orders[total > 5].items.(name & sku)", &[]);
        top_level("$orders^(>total)", &[]);
        top_level("$map($states.input.items, function($item) { $item.name })", &[]);
        top_level("$orders{sku: total}", &[]);
        top_level("($a := $states.input; $a.b)", &[]);
    }

    #[test]
    fn what_is_asked_of_the_states_variable() {
        let found = references("$states.result.a & $states.context.Execution.Id & $merge([$states.errorOutput])").expect("it parses");
        assert_eq!(found.of_states.into_iter().collect::<Vec<_>>(), ["context", "errorOutput", "result"]);
        assert!(!found.root);
        assert!(references("$$.a").expect("it parses").root);
    }

    #[test]
    fn what_does_not_parse_is_an_error() {
        assert!(references("1 +").is_err());
    }
}
