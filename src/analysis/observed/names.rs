//! Texts by number: each is kept once.

use foldhash::fast::RandomState;
use std::collections::HashMap;

/// The number of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(u32);

impl Name {
    pub(super) fn position(self) -> usize {
        self.0 as usize
    }
}

/// Texts by number; those of two threads have to be translated.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<Box<str>, Name, RandomState>,
    texts: Vec<Box<str>>,
}

impl Names {
    /// The number of a text, a new one if it has none.
    pub fn number(&mut self, text: &str) -> Name {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.numbers.insert(text.into(), name);
        self.texts.push(text.into());
        name
    }

    /// The number of a text that has one.
    pub fn find(&self, text: &str) -> Option<Name> {
        self.numbers.get(text).copied()
    }

    /// The text of a number; empty for one of other names.
    pub fn text(&self, name: Name) -> &str {
        self.texts.get(name.0 as usize).map_or("", |text| text)
    }

    /// How each of the other's numbers is called here.
    pub(super) fn translate(&mut self, other: &Self) -> Vec<Name> {
        other.texts.iter().map(|text| self.number(text)).collect()
    }
}
