//! What is certain of the data after a Catch that puts the error in the place of the input: `{"Error": …, "Cause": …}` and nothing else.
//!
//! The way is followed state by state as long as every member of the data is known, and no further: it ends at a Choice (which may
//! guard what comes behind it), at a result that replaces the data, and wherever something is still to be put in.

use std::collections::BTreeSet;

use super::subject::{StateAt, Subject};
use crate::asl::source::{Content, Node};

/// What the states behind a Catch do with the data.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// The first state that reads a member that is not there, and the path as it stands: it fails with `States.Runtime` or
    /// `States.QueryEvaluationError`.
    pub missing: Option<(usize, String)>,
    /// The first Task that is given all of the data, and nothing else that tells which execution it is about.
    pub whole: Option<usize>,
    /// Whether something reads `Error` or `Cause` at the top.
    pub reads_error: bool,
}

/// What one text reads.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reads {
    /// Top members of the input, each with the path as it stands.
    members: Vec<(String, String)>,
    /// Whether it reads the input as a whole.
    whole: bool,
    /// Whether it reads a variable or the context object.
    elsewhere: bool,
}

/// Follows the way from a handler.
pub fn after_catch(subject: &Subject<'_>, handler: usize) -> Aftermath {
    let mut found = Aftermath::default();
    let mut keys: BTreeSet<String> = ["Error", "Cause"].map(str::to_owned).into();
    let mut seen = BTreeSet::new();
    let mut at = handler;
    while seen.insert(at) {
        let state = &subject.states[at];
        let Some(reads) = reads_of(state) else { return found };
        found.reads_error |= reads.members.iter().any(|(member, _)| matches!(member.as_str(), "Error" | "Cause"));
        if let Some((_, path)) = reads.members.iter().find(|(member, _)| !keys.contains(member)) {
            found.missing = Some((at, path.clone()));
            return found;
        }
        let is_given_all = state.state_type() == "Task" && (reads.whole || gets_all(state));
        if is_given_all && !reads.elsewhere && found.whole.is_none() {
            found.whole = Some(at);
        }
        let Some(next_keys) = keys_after(state, keys) else { return found };
        keys = next_keys;
        match (state.state_type(), state.next.as_slice()) {
            ("Choice", _) | (_, []) => return found,
            (_, [next, ..]) => at = *next,
        }
    }
    found
}

/// Whether a Task has no template of its own: it is given the input.
fn gets_all(state: &StateAt<'_>) -> bool {
    ["Parameters", "Arguments", "InputPath"].iter().all(|field| state.get(field).is_none())
}

/// What a state reads of its input before it does anything; `None` where that is not certain.
fn reads_of(state: &StateAt<'_>) -> Option<Reads> {
    let mut reads = Reads::default();
    if holds_substitution(state) {
        return None;
    }
    if state.jsonata {
        // Outputs and variables may read the result, and conditions may guard each other.
        for field in ["Arguments", "Items", "Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds", "Error", "Cause"] {
            state.get(field).iter().for_each(|node| reads.look_at_queries(node));
        }
        return Some(reads);
    }
    match state.get("InputPath").map(|path| &path.content) {
        None => {}
        Some(Content::Text(path)) if path == "$" => {}
        // What stands in the other fields is read from what this selects.
        Some(Content::Text(path)) => {
            reads.look_at_path(path);
            return Some(reads);
        }
        Some(_) => return None,
    }
    let fields: &[&str] = match state.state_type() {
        "Task" => &["TimeoutSecondsPath", "HeartbeatSecondsPath"],
        "Wait" => &["SecondsPath", "TimestampPath"],
        "Fail" => &["ErrorPath", "CausePath"],
        "Map" => &["ItemsPath"],
        "Choice" => {
            first_test(state).iter().for_each(|path| reads.look_at_path(path));
            &[]
        }
        _ => &[],
    };
    for path in fields.iter().filter_map(|field| state.text(field)) {
        reads.look_at_path(path);
    }
    if matches!(state.state_type(), "Task" | "Pass" | "Parallel") {
        state.get("Parameters").iter().for_each(|template| reads.look_at_template(template));
    }
    Some(reads)
}

/// Whether a value of this state that the data depend on is still to be put in.
fn holds_substitution(state: &StateAt<'_>) -> bool {
    ["Parameters", "Arguments", "InputPath", "OutputPath", "ResultPath", "Output", "Choices", "Result"]
        .iter()
        .filter_map(|field| state.get(field))
        .any(Node::is_substitution)
}

/// The variable of the one test of a Choice that is made in any case: the first of the first rule. Not where it asks for presence.
fn first_test<'s>(state: &StateAt<'s>) -> Option<&'s str> {
    let mut rule = state.get("Choices")?.items().first()?;
    while let Some(inner) = ["And", "Or"].iter().find_map(|name| rule.get(name)?.items().first()).or_else(|| rule.get("Not")) {
        rule = inner;
    }
    rule.get("IsPresent").is_none().then(|| rule.get("Variable")?.as_str())?
}

/// The members of the data after a state; `None` where they are not known.
fn keys_after(state: &StateAt<'_>, mut keys: BTreeSet<String>) -> Option<BTreeSet<String>> {
    if state.jsonata {
        let keeps = matches!(state.state_type(), "Pass" | "Wait") && state.get("Output").is_none();
        return keeps.then_some(keys);
    }
    if state.get("InputPath").is_some_and(|path| path.as_str() != Some("$"))
        || state.get("OutputPath").is_some_and(|path| path.as_str() != Some("$"))
    {
        return None;
    }
    let result = match state.state_type() {
        "Wait" | "Choice" => return Some(keys),
        "Pass" => match (state.get("Parameters"), state.get("Result")) {
            (None, None) => Some(keys.clone()),
            (Some(template), None) => members_of(template, true),
            (_, Some(result)) => members_of(result, false),
        },
        _ => None,
    };
    match state.get("ResultPath").map(|path| &path.content) {
        None => result,
        Some(Content::Null) => Some(keys),
        Some(Content::Text(path)) if path == "$" => result,
        Some(Content::Text(path)) => {
            keys.insert(first_member(path)?.0);
            Some(keys)
        }
        Some(_) => None,
    }
}

fn members_of(node: &Node, is_template: bool) -> Option<BTreeSet<String>> {
    let name = |name: &str| name.strip_suffix(".$").filter(|_| is_template).unwrap_or(name).to_owned();
    node.is_object().then(|| node.members().iter().map(|member| name(&member.name)).collect())
}

impl Reads {
    /// A payload template of JSONPath.
    fn look_at_template(&mut self, node: &Node) {
        for member in node.members() {
            match member.value.as_str() {
                Some(text) if member.name.ends_with(".$") => self.look_at_path(text),
                _ => self.look_at_template(&member.value),
            }
        }
        node.items().iter().for_each(|item| self.look_at_template(item));
    }

    /// A path, or the call of an intrinsic function with paths in it.
    fn look_at_path(&mut self, text: &str) {
        // Paths that may find nothing give an empty list, and substitutions may be anything.
        if ["*", "..", "?", "@", ":", "${"].iter().any(|mark| text.contains(mark)) {
            self.elsewhere = true;
            return;
        }
        let mut rest = text;
        while let Some(at) = rest.find(['$', '\'']) {
            let found = &rest[at..];
            if found.starts_with('\'') {
                rest = behind_text(&found[1..]);
                continue;
            }
            let behind = &found[1..];
            match behind.chars().next() {
                None | Some(',' | ')' | ' ') => self.whole = true,
                Some('.' | '[') => match first_member(found) {
                    Some((member, length)) => {
                        self.members.push((member, path_of(found).to_owned()));
                        rest = &found[length..];
                        continue;
                    }
                    None => self.elsewhere = true,
                },
                Some(_) => self.elsewhere = true,
            }
            rest = behind.trim_start_matches('$');
        }
    }

    /// JSONata: only what an expression is as a whole, as anything around a path may do with nothing.
    fn look_at_queries(&mut self, node: &Node) {
        if let Some(query) = node.as_str().and_then(|text| text.strip_prefix("{%")?.strip_suffix("%}")) {
            match query.trim().strip_prefix("$states.input") {
                Some("") => self.whole = true,
                Some(path) if path.starts_with('.') && path.chars().all(|mark| mark.is_alphanumeric() || matches!(mark, '_' | '.')) => {
                    let member = path[1..].split('.').next().unwrap_or_default();
                    self.members.push((member.to_owned(), query.trim().to_owned()));
                }
                _ => self.elsewhere |= query.contains('$'),
            }
        }
        node.members().iter().for_each(|member| self.look_at_queries(&member.value));
        node.items().iter().for_each(|item| self.look_at_queries(item));
    }
}

/// What stands behind a text in single quotes, of which the first is gone.
fn behind_text(text: &str) -> &str {
    let mut escaped = false;
    for (at, mark) in text.char_indices() {
        match mark {
            '\\' if !escaped => escaped = true,
            '\'' if !escaped => return &text[at + 1..],
            _ => escaped = false,
        }
    }
    ""
}

/// The first member that a path names, and how long the path is up to it: `$.order.id` and `$['order']` give `order`.
fn first_member(path: &str) -> Option<(String, usize)> {
    let rest = path.strip_prefix('$')?;
    if let Some(quoted) = rest.strip_prefix("['") {
        let end = quoted.find('\'')?;
        return Some((quoted[..end].to_owned(), 3 + end + 1));
    }
    let name = rest.strip_prefix('.')?;
    let end = name.find(['.', '[', ',', ')', ' ', '\'']).unwrap_or(name.len());
    (end > 0).then(|| (name[..end].to_owned(), 2 + end))
}

/// A path as it stands in the call of a function.
fn path_of(text: &str) -> &str {
    &text[..text.find([',', ')', ' ']).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reads {
        let mut reads = Reads::default();
        reads.look_at_path(text);
        reads
    }

    fn members(text: &str) -> Vec<String> {
        read(text).members.into_iter().map(|(member, _)| member).collect()
    }

    #[test]
    fn paths_tell_their_first_member() {
        assert_eq!(members("$.order.id"), ["order"]);
        assert_eq!(members("$['an order'].id"), ["an order"]);
        assert_eq!(members("States.Format('{} of $.no', $.order, $.Error)"), ["order", "Error"]);
        assert_eq!(members(r"States.Format('it\'s {}', $.a)"), ["a"]);
        assert!(read("$").whole && read("States.JsonToString($)").whole);
    }

    #[test]
    fn what_may_be_absent_is_not_told() {
        for text in ["$.items[*].id", "$..id", "$$.Execution.Id", "$order.id", "$.${Member}", "$.list[?(@.a)]"] {
            assert_eq!(members(text), Vec::<String>::new(), "{text}");
            assert!(read(text).elsewhere, "{text}");
        }
    }

    #[test]
    fn odd_texts_end() {
        for text in ["", "'", "$", "$.", "$[", "$['", "$['a", "States.Format('", "é$.é.é", "$$$$", "'\\"] {
            let _ = read(text);
        }
    }
}
