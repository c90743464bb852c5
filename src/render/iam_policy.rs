//! What each call to AWS is for, as text.

use std::io::{self, Write};

use serde::Serialize;

use super::columns::wrapped;
use super::styles::{Styles, paint};

/// Where the words behind a label begin.
const INDENT: &str = "    ";

/// What a verb, or some verbs, ask of AWS.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedCall {
    /// As permissions name it, such as `states:DescribeExecution`.
    pub action: String,
    /// The verbs that call it, some with a flag.
    pub needed_by: Vec<String>,
    /// What it is for.
    pub purpose: &'static str,
    /// What happens where it is refused.
    pub without: &'static str,
}

/// The calls of what was asked for; those of the same verbs stand together.
#[derive(Debug, Clone)]
pub struct Explained {
    /// In the order of the table.
    pub calls: Vec<ExplainedCall>,
}

impl Explained {
    /// For a screen of this width.
    pub fn text(&self, styles: &Styles, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let mut before: Option<&Vec<String>> = None;
        for call in &self.calls {
            if before != Some(&call.needed_by) {
                let gap = if before.is_none() { "" } else { "\n" };
                writeln!(out, "{gap}{}", paint(styles.heading, call.needed_by.join(", ")))?;
                before = Some(&call.needed_by);
            }
            writeln!(out, "  {}", paint(styles.state, &call.action))?;
            lines("for", call.purpose, width, out)?;
            lines("else", call.without, width, out)?;
        }
        let note = "State machines that encrypt with a key of the customer's own need kms:Decrypt on it: --kms-key ARN adds it.";
        writeln!(out)?;
        wrapped(note, width).iter().try_for_each(|line| writeln!(out, "{}", paint(styles.dim, line)))
    }
}

fn lines(label: &str, text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for (number, line) in wrapped(text, width.saturating_sub(INDENT.len() + 6)).iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        writeln!(out, "{INDENT}{label:<6}{line}")?;
    }
    Ok(())
}
