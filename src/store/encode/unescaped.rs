//! The texts of payloads, escapes undone once for each.
//!
//! What goes out of one event goes into the next: the same bytes stand in a history two to four times. Comparing them is several
//! times faster than undoing their escapes again.

use crate::model::RawText;
use crate::model::text::{Form, unescape};

/// How many of the last texts are kept.
const KEPT: usize = 4;

/// The last texts of an execution, source and decoded.
#[derive(Default)]
pub(super) struct Unescaped<'h> {
    kept: [(Option<&'h str>, Vec<u8>); KEPT],
    next: usize,
}

impl<'h> Unescaped<'h> {
    /// The text as [`RawText::decode`] gives it.
    #[inline]
    pub fn text(&mut self, raw: &'h RawText) -> &[u8] {
        let source = raw.source();
        if raw.form() != Form::Escaped {
            return source.as_bytes();
        }
        if let Some(found) = self.kept.iter().position(|(kept, _)| *kept == Some(source)) {
            return &self.kept[found].1;
        }
        self.next = (self.next + 1) % KEPT;
        let (kept, text) = &mut self.kept[self.next];
        *kept = Some(source);
        text.clear();
        unescape(source, text);
        text
    }

    /// Forgets the texts, and keeps the room they had.
    pub fn recycle<'n>(self) -> Unescaped<'n> {
        Unescaped { kept: self.kept.map(|(_, text)| (None, text)), next: 0 }
    }
}
