//! Definitions, each parsed once: many executions come with the same text.

use std::collections::HashMap;
use std::sync::Arc;

use crate::asl::Definition;
use crate::model::text::Form;
use crate::model::{Gap, History};

/// More different definitions than anybody has machines are forgotten from time to time.
const MOST: usize = 2_000;

/// The definitions that one thread has parsed.
#[derive(Default)]
pub(in crate::cli) struct Definitions {
    /// By the length of their text: different texts mostly differ in it, and no text is hashed.
    by_length: HashMap<usize, Vec<Parsed>>,
    count: usize,
}

struct Parsed {
    source: String,
    form: Form,
    /// Why it is none.
    result: Result<Arc<Definition>, String>,
}

impl Definitions {
    /// The history's definition; one that can't be read is a gap.
    pub(in crate::cli) fn of(&mut self, history: &mut History) -> Option<Arc<Definition>> {
        let text = history.definition.as_ref()?;
        let source = text.source();
        if self.count >= MOST {
            *self = Self::default();
        }
        let known = self.by_length.entry(source.len()).or_default();
        let at = known.iter().position(|parsed| parsed.form == text.form() && parsed.source == source).unwrap_or_else(|| {
            let result = Definition::parse(&text.decode()).map(Arc::new).map_err(|error| error.to_string());
            known.push(Parsed { source: source.to_owned(), form: text.form(), result });
            self.count += 1;
            known.len() - 1
        });
        match &known[at].result {
            Ok(definition) => Some(Arc::clone(definition)),
            Err(reason) => {
                history.gaps.push(Gap::NoDefinition { reason: Some(reason.clone()) });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RawText;

    #[test]
    fn equal_texts_are_parsed_once_and_bad_ones_are_gaps() {
        let mut definitions = Definitions::default();
        let with = |text: &str| History { definition: Some(RawText::plain(text)), ..History::default() };
        let good = r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#;
        let first = definitions.of(&mut with(good)).expect("a definition");
        let second = definitions.of(&mut with(good)).expect("a definition");
        assert!(Arc::ptr_eq(&first, &second));
        for _ in 0..2 {
            let mut bad = with("[1, 2");
            assert!(definitions.of(&mut bad).is_none());
            assert_eq!(bad.gaps.len(), 1);
        }
        assert_eq!((definitions.count, definitions.of(&mut History::default()).is_none()), (2, true));
    }
}
