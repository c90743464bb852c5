//! What each part of a screen looks like, named by its meaning.
//!
//! Whether there are colours is decided by the caller; nothing here asks what the output is.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// The styles of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Styles {
    /// Titles of sections.
    pub heading: Style,
    /// What failed.
    pub failure: Style,
    /// What failed and was caught or cured, and what else needs a second look.
    pub caught: Style,
    /// What went well.
    pub ok: Style,
    /// What is still open.
    pub open: Style,
    /// Names of states.
    pub state: Style,
    /// What may be skipped: ids, times, hints.
    pub dim: Style,
    /// What is to be copied: commands and links.
    pub command: Style,
}

impl Styles {
    /// No colours.
    pub const fn plain() -> Self {
        let none = Style::new();
        Self { heading: none, failure: none, caught: none, ok: none, open: none, state: none, dim: none, command: none }
    }

    /// The sixteen colours that every terminal has, so that the reader's own theme holds.
    pub const fn ansi() -> Self {
        Self {
            heading: Style::new().bold(),
            failure: AnsiColor::Red.on_default().bold(),
            caught: AnsiColor::Yellow.on_default(),
            ok: AnsiColor::Green.on_default(),
            open: AnsiColor::Cyan.on_default(),
            state: Style::new().bold(),
            dim: Style::new().dimmed(),
            command: AnsiColor::Cyan.on_default(),
        }
    }

    /// With colours or without.
    pub const fn colored(colored: bool) -> Self {
        if colored { Self::ansi() } else { Self::plain() }
    }
}

/// Text in a style; formatting flags such as width are those of the text.
pub fn paint<T: fmt::Display>(style: Style, text: T) -> Painted<T> {
    Painted { style, text }
}

/// Text in a style, made by [`paint`].
#[derive(Debug, Clone, Copy)]
pub struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style.render())?;
        self.text.fmt(f)?;
        write!(f, "{}", self.style.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_styles_write_the_text_alone() {
        assert_eq!(paint(Styles::plain().failure, "FAILED").to_string(), "FAILED");
    }

    #[test]
    fn a_colour_ends_where_the_text_ends_and_padding_is_kept() {
        assert_eq!(format!("{:<4}|", paint(Styles::ansi().ok, "ok")), "\u{1b}[32mok  \u{1b}[0m|");
    }
}
