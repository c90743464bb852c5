//! The head of a query: comment lines to question, notes, level, parameters and columns.

use super::{Column, ColumnKind, InsightsQuery, Parameter};

/// How far rows of a section are indented, behind the `#`.
const INDENT: usize = 3;

/// Where in the head a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Question,
    Notes,
    Parameters,
    Columns,
    Other,
}

pub(super) fn read(text: &str) -> InsightsQuery {
    let head_length = text.lines().take_while(|line| line.starts_with('#')).map(|line| line.len() + 1).sum::<usize>().min(text.len());
    let (head, body) = text.split_at(head_length);
    let mut query = InsightsQuery {
        question: String::new(),
        notes: String::new(),
        level: String::new(),
        parameters: Vec::new(),
        columns: Vec::new(),
        head: head.to_owned(),
        body: body.to_owned(),
    };
    let mut section = Section::Question;
    for line in head.lines() {
        section = take(&mut query, section, line.strip_prefix('#').unwrap_or(line).trim_end());
    }
    query.notes.truncate(query.notes.trim_end().len());
    query
}

/// Adds a line to the query; returns the section in which the next one stands.
fn take(query: &mut InsightsQuery, section: Section, line: &str) -> Section {
    let words = line.trim_start();
    let indent = line.len() - words.len();
    if let Some(level) = words.strip_prefix("Level:") {
        level.trim().clone_into(&mut query.level);
        return Section::Other;
    }
    match (words, section) {
        ("Parameters:", _) => return Section::Parameters,
        ("Columns:", _) => return Section::Columns,
        (_, Section::Question) => words.clone_into(&mut query.question),
        (_, Section::Notes) => add_note(&mut query.notes, words),
        (_, Section::Parameters) if indent > INDENT => go_on(query.parameters.last_mut().map(|parameter| &mut parameter.meaning), words),
        (_, Section::Columns) if indent > INDENT => go_on(query.columns.last_mut().map(|column| &mut column.meaning), words),
        (_, Section::Parameters) if indent == INDENT => query.parameters.extend(parameter(words)),
        (_, Section::Columns) if indent == INDENT => query.columns.push(column(words)),
        _ => {}
    }
    if section == Section::Question { Section::Notes } else { section }
}

/// Lines make paragraphs, an empty one begins the next.
fn add_note(notes: &mut String, words: &str) {
    if words.is_empty() {
        if !notes.is_empty() {
            notes.push('\n');
        }
        return;
    }
    if !notes.is_empty() && !notes.ends_with('\n') {
        notes.push(' ');
    }
    notes.push_str(words);
}

fn go_on(meaning: Option<&mut String>, words: &str) {
    if let Some(meaning) = meaning {
        meaning.push(' ');
        meaning.push_str(words);
    }
}

/// `{name} = default  meaning`, or `{name}  meaning`.
fn parameter(words: &str) -> Option<Parameter> {
    let (name, rest) = words.strip_prefix('{')?.split_once('}')?;
    let (default, meaning) = match rest.trim_start().strip_prefix('=') {
        Some(rest) => {
            let rest = rest.trim_start();
            let (default, meaning) = rest.split_once("  ").unwrap_or((rest, ""));
            (Some(default.trim().to_owned()), meaning)
        }
        None => (None, rest),
    };
    Some(Parameter { name: name.to_owned(), meaning: meaning.trim().to_owned(), default })
}

/// `name  meaning`, or with the kind of the values behind the name: `name (time)  meaning`.
fn column(words: &str) -> Column {
    let (name, meaning) = words.split_once("  ").unwrap_or((words, ""));
    let kinds = [(" (time)", ColumnKind::Time), (" (number)", ColumnKind::Number)];
    let marked = kinds.into_iter().find_map(|(mark, kind)| Some((name.strip_suffix(mark)?, kind)));
    let (name, kind) = marked.unwrap_or((name, ColumnKind::Text));
    Column { name: name.trim().to_owned(), meaning: meaning.trim().to_owned(), kind }
}
