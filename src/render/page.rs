//! A page of text read from the top: headings, facts with labels, paragraphs and lists, wrapped by display columns.
//!
//! Text from outside passes [`Page::clean`] first. Styles are put around whole lines after wrapping, so that no break falls into an
//! escape sequence.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

use super::columns::width;
use super::escape;
use super::redact::Redactor;
use super::styles::{Styles, paint};

/// Columns of a label and the space after it.
pub(super) const LABEL: usize = 10;

/// Where text goes and how it is written there.
pub(super) struct Page<'a> {
    pub styles: &'a Styles,
    pub redactor: &'a Redactor,
    pub width: usize,
    pub out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    /// Narrower pages than this are written past their edge.
    const NARROWEST: usize = 40;

    pub fn new(styles: &'a Styles, redactor: &'a Redactor, width: usize, out: &'a mut dyn Write) -> Self {
        Self { styles, redactor, width: width.max(Self::NARROWEST), out }
    }

    /// Text from outside, its secrets masked, fit for one line.
    pub fn clean(&self, text: &str) -> String {
        escape::line(&self.redactor.apply(text)).into_owned()
    }

    /// An empty line and the title of a section.
    pub fn heading(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", paint(self.styles.heading, title))
    }

    /// A label and text beside it; text that has lines keeps them.
    pub fn fact(&mut self, label: &str, style: Style, text: &str) -> io::Result<()> {
        let mut label = Some(label);
        for line in text.lines() {
            for part in wrapped(line, self.width - LABEL) {
                match label.take() {
                    Some(label) => write!(self.out, "{}", paint(self.styles.dim, format_args!("{label:<LABEL$}")))?,
                    None => write!(self.out, "{:LABEL$}", "")?,
                }
                writeln!(self.out, "{}", paint(style, part))?;
            }
        }
        Ok(())
    }

    /// A fact with a remark beside it, or below it when both do not fit on one line.
    pub fn fact_beside(&mut self, label: &str, (style, text): (Style, &str), (beside_style, beside): (Style, &str)) -> io::Result<()> {
        if beside.is_empty() {
            return self.fact(label, style, text);
        }
        if LABEL + width(text) + 2 + width(beside) <= self.width {
            let label = paint(self.styles.dim, format!("{label:<LABEL$}"));
            return writeln!(self.out, "{label}{}  {}", paint(style, text), paint(beside_style, beside));
        }
        self.fact(label, style, text)?;
        self.detail(beside_style, beside)
    }

    /// A line under a fact, wrapped with a hanging indent.
    pub fn detail(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.hanging(LABEL, LABEL + 2, style, text)
    }

    /// A paragraph two columns in.
    pub fn paragraph(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.hanging(2, 2, style, text)
    }

    /// A paragraph at the left edge.
    pub fn paragraph_at_edge(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.hanging(0, 0, style, text)
    }

    /// An entry of a list.
    pub fn item(&mut self, style: Style, text: &str) -> io::Result<()> {
        for (position, part) in wrapped(text, self.width - 4).into_iter().enumerate() {
            writeln!(self.out, "  {} {}", if position == 0 { "-" } else { " " }, paint(style, part))?;
        }
        Ok(())
    }

    /// What belongs to the entry above.
    pub fn under_item(&mut self, style: Style, text: &str) -> io::Result<()> {
        self.hanging(4, 4, style, text)
    }

    /// A command, a link or an ARN: on a line of its own and never broken, so that it can be copied.
    pub fn copyable(&mut self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{}", "", paint(style, text))
    }

    /// A line as it is, cut at the edge.
    pub fn cut(&mut self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        let text = super::columns::fit(text, self.width.saturating_sub(indent));
        writeln!(self.out, "{:indent$}{}", "", paint(style, text))
    }

    fn hanging(&mut self, first: usize, rest: usize, style: Style, text: &str) -> io::Result<()> {
        let mut indent = first;
        for line in text.lines() {
            for part in wrapped(line, self.width - first.max(rest)) {
                writeln!(self.out, "{:indent$}{}", "", paint(style, part))?;
                indent = rest;
            }
        }
        Ok(())
    }
}

/// Longer than any ARN or address that somebody would want to copy whole.
const LONGEST_COPYABLE: usize = 400;

/// Text in lines of at most `room` columns, broken at spaces; a word that is too long is broken where it has to be, unless it is
/// an ARN or an address, which stands on a line of its own.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(8);
    let indent: String = text.chars().take_while(|character| *character == ' ').take(room / 2).collect();
    let mut lines = vec![indent];
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.last_mut().expect("there is one from the beginning");
        let space = usize::from(!empty);
        if width(line) + space + width(word) <= room {
            line.push_str(if empty { "" } else { " " });
            line.push_str(word);
        } else {
            if !empty {
                lines.push(String::new());
            }
            push_long(word, room, &mut lines);
        }
        empty = false;
    }
    lines
}

fn push_long(word: &str, room: usize, lines: &mut Vec<String>) {
    let copyable = word.starts_with("arn:") || word.starts_with("https://") || word.starts_with("http://");
    let whole = copyable && word.len() <= LONGEST_COPYABLE;
    for character in word.chars() {
        let line = lines.last_mut().expect("there is one from the beginning");
        let columns = character.width().unwrap_or(0);
        if !whole && width(line) + columns > room {
            lines.push(String::from(character));
        } else {
            line.push(character);
        }
    }
}

/// The first lines of a text, and how many more there are.
pub(super) fn head(text: &str, most: usize) -> (Cow<'_, str>, usize) {
    let count = text.lines().count();
    if count <= most {
        return (Cow::Borrowed(text), 0);
    }
    (Cow::Owned(text.lines().take(most).collect::<Vec<_>>().join("\n")), count - most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_while_they_fit() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("", 8), [""]);
        assert_eq!(wrapped("  in two", 8), ["  in two"]);
    }

    #[test]
    fn a_long_word_is_broken_by_columns() {
        assert_eq!(wrapped("see 0123456789abcdef", 8), ["see", "01234567", "89abcdef"]);
        assert_eq!(wrapped("状态状态状态", 8), ["状态状态", "状态"]);
    }

    #[test]
    fn what_is_to_be_copied_is_not_broken() {
        assert_eq!(wrapped("see arn:aws:states:x now", 8), ["see", "arn:aws:states:x", "now"]);
        let endless = format!("arn:{}", "x".repeat(500));
        assert!(wrapped(&endless, 20).iter().all(|line| line.len() <= 20));
    }

    #[test]
    fn the_head_of_a_text_says_what_it_left_out() {
        assert_eq!(head("a\nb\nc", 2), (Cow::from("a\nb"), 1));
        assert_eq!(head("a\nb", 2), (Cow::from("a\nb"), 0));
    }
}
