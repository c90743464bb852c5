//! Where and how answers are written: the settings that the global flags, the terminal and the environment resolve to.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::global::{ColorChoice, GlobalArgs, OutputFormat};
use crate::analysis::execution::quoted;
use crate::render::escape;
use crate::render::redact::Redactor;
use crate::render::styles::{Styles, paint};

/// Text is wrapped at this width where the terminal's is not known.
const WIDTH: usize = 80;
/// Wider lines are no easier to read.
const WIDEST: usize = 120;

/// How text is written.
pub struct TextSettings {
    /// Colours, or none.
    pub styles: Styles,
    /// Masks secrets, or nothing.
    pub redactor: Redactor,
    /// Columns.
    pub width: usize,
}

impl TextSettings {
    /// What the flags ask for, on this terminal.
    pub fn resolve(global: &GlobalArgs) -> Self {
        let colored = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Self { styles: Styles::colored(colored), redactor: redactor(global), width: columns.unwrap_or(WIDTH).clamp(40, WIDEST) }
    }
}

/// Masks secrets unless they were asked for.
pub fn redactor(global: &GlobalArgs) -> Redactor {
    Redactor::new(!global.no_redact)
}

/// Makes text from outside fit for a place within one line of a picture.
pub fn cleaner(global: &GlobalArgs) -> impl Fn(&str) -> String {
    let redactor = redactor(global);
    move |text| escape::line(&redactor.apply(text)).into_owned()
}

/// One JSON document, on one line for `jsonl`.
pub fn document(value: &impl Serialize, format: OutputFormat, redactor: Redactor, out: &mut dyn Write) -> anyhow::Result<()> {
    let text = match format {
        OutputFormat::Jsonl => serde_json::to_string(value)?,
        _ => serde_json::to_string_pretty(value)?,
    };
    writeln!(out, "{}", escape::json(&redactor.apply(&text)))?;
    Ok(())
}

/// Parts of a report as JSON Lines: each begins with its schema, as a document does.
pub fn lines<T: Serialize>(schema: &'static str, parts: &[T], redactor: Redactor, out: &mut dyn Write) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Line<'p, T: Serialize> {
        schema: &'static str,
        #[serde(flatten)]
        part: &'p T,
    }
    parts.iter().try_for_each(|part| document(&Line { schema, part }, OutputFormat::Jsonl, redactor, out))
}

/// Says one thing on stderr. File names, arguments and what a service answered may hold secrets, which are masked, and escape
/// sequences, which are shown as text.
pub fn say(words: &mut dyn Write, redactor: Redactor, text: &str) {
    // Whoever closed stderr does not want to know.
    let _ = writeln!(words, "stepscope: {}", escape::line(&redactor.apply(text)));
}

/// What a filled store is for, after a report for people.
pub fn say_what_to_ask(global: &GlobalArgs, out: &mut dyn Write) -> io::Result<()> {
    let settings = TextSettings::resolve(global);
    let store = global.store.as_ref().map(|folder| format!(" --store {}", quoted(&folder.display().to_string()))).unwrap_or_default();
    writeln!(out, "\n{}", paint(settings.styles.heading, "Next"))?;
    writeln!(out, "  {}", paint(settings.styles.dim, "what is broken now, the worst first"))?;
    let command = settings.redactor.apply(&format!("stepscope triage{store}")).into_owned();
    writeln!(out, "    {}", paint(settings.styles.command, escape::line(&command)))
}
