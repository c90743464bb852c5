//! The list of rules.

use std::io::{self, Write};

use super::text::level_style;
use crate::analysis::audit::catalogue::RuleList;
use crate::render::columns::wrapped;
use crate::render::styles::{Styles, paint};

/// Writes each rule: its level and id, what it asks for, why, and where that is written down.
pub fn rules(list: &RuleList, styles: &Styles, width: usize, out: &mut dyn Write) -> io::Result<()> {
    const INDENT: usize = 9;
    for rule in &list.rules {
        let level = paint(level_style(rule.level, styles), format!("{:<7}", rule.level.name())).to_string();
        writeln!(out, "{level}  {}", paint(styles.heading, rule.rule))?;
        let text = format!("{}. {}", rule.title, rule.reason);
        for line in wrapped(&text, width.saturating_sub(INDENT)) {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
        writeln!(out, "{:INDENT$}{}", "", paint(styles.dim, rule.source))?;
    }
    writeln!(out, "{} rules; a file switches them off one by one: see docs/audit.md", list.rules.len())
}
