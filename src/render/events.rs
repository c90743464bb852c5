//! `show --events`: the history as a table, an event a line.

use std::io::{self, Write};

use super::columns::{Screen, duration, fit, width as columns};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::show::{EventLine, EventList};

/// Writes the events as a table.
pub fn events(list: &EventList, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen::new(styles, redactor, width);
    screen.heading(&list.execution, out)?;
    let digits =
        list.events.iter().map(|event| event.id.0.max(event.previous.map_or(0, |id| id.0))).max().unwrap_or(0).to_string().len().max(4);
    let kind = list.events.iter().map(|event| columns(&event.kind)).max().unwrap_or(0).clamp(4, 28);
    let room = screen.width.saturating_sub(2 * digits + kind + 9 + 8);
    let head = format!("{:>digits$}  {:>digits$}  {:>9}  {:kind$}  state: details", "id", "prev", "time", "type");
    writeln!(out, "\n{}", paint(styles.dim, fit(&head, screen.width)))?;
    for event in &list.events {
        let previous = event.previous.map(|id| id.to_string()).unwrap_or_default();
        let time = event.offset_ms.map(|offset| format!("+{}", duration(offset))).unwrap_or_default();
        let kind_style = if event.is_failure { styles.failure } else { anstyle::Style::new() };
        let text = screen.line(&said(event));
        write!(out, "{:>digits$}  {:>digits$}  {time:>9}  ", event.id, paint(styles.dim, previous))?;
        let name = screen.line(&event.kind);
        let name = fit(&name, kind);
        if text.is_empty() {
            writeln!(out, "{}", paint(kind_style, name))?;
        } else {
            let fill = kind - columns(&name);
            writeln!(out, "{}{:fill$}  {}", paint(kind_style, name), "", fit(&text, room))?;
        }
    }
    screen.incomplete(&list.incomplete, out)
}

fn said(event: &EventLine) -> String {
    match (event.state.is_empty(), event.details.is_empty()) {
        (false, false) => format!("{}: {}", event.state, event.details),
        (false, true) => event.state.clone(),
        (true, _) => event.details.clone(),
    }
}
