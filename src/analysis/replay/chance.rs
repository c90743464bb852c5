//! Values that no definition determines: what a run drew, and what is known of the recording's own.
//!
//! A UUID, a task token, a random number or the time cannot come out the same twice. A run therefore keeps a log of what it drew;
//! [`learn`](super::learn) lays its history beside the recorded one, finds out what the recording had in the same places, and the
//! next run draws that. Everything that follows from such a value is then computed by the definition, as it was in the recording.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::interpreter::Chance;

/// A value that was drawn, or is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawn {
    /// In [0, 1).
    Random(f64),
    /// A UUID, a token, an ARN.
    Text(Rc<str>),
    /// Milliseconds since the epoch.
    Now(i64),
}

/// One value that a run drew.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draw {
    pub value: Drawn,
    /// How many events there were.
    pub events: usize,
    /// Whether the value was known.
    pub known: bool,
}

/// What stands for a random number that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extreme {
    /// What the seed gives.
    Seed,
    /// The smallest.
    Lowest,
    /// The greatest.
    Greatest,
}

/// The greatest number below 1.
pub(super) const BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;

/// Known values by the number of their draw, from 0.
pub(super) type Known = HashMap<usize, Drawn>;

/// Draws for one run.
#[derive(Debug)]
pub(super) struct Draws {
    known: Known,
    extreme: Extreme,
    events: Cell<usize>,
    log: RefCell<Vec<Draw>>,
}

impl Draws {
    pub fn new(known: Known, extreme: Extreme) -> Self {
        Self { known, extreme, events: Cell::new(0), log: RefCell::default() }
    }

    /// What is drawn from now on belongs to the event of this position, or a later one.
    pub fn at(&self, events: usize) {
        self.events.set(events);
    }

    /// What was drawn so far, in order.
    pub fn log(&self) -> Vec<Draw> {
        self.log.borrow().clone()
    }

    /// `fallback`, unless the value of this draw is known and of the same kind.
    fn draw(&self, fallback: Drawn) -> Drawn {
        let mut log = self.log.borrow_mut();
        let known = self.known.get(&log.len()).filter(|known| std::mem::discriminant(*known) == std::mem::discriminant(&fallback));
        let value = known.cloned().unwrap_or(fallback);
        log.push(Draw { value: value.clone(), events: self.events.get(), known: known.is_some() });
        value
    }

    fn text(&self, drawn: String) -> String {
        match self.draw(Drawn::Text(drawn.as_str().into())) {
            Drawn::Text(text) => text.to_string(),
            _ => drawn,
        }
    }
}

impl Chance for Draws {
    fn random(&self, drawn: f64) -> f64 {
        let fallback = match self.extreme {
            Extreme::Seed => drawn,
            Extreme::Lowest => 0.0,
            Extreme::Greatest => BELOW_ONE,
        };
        match self.draw(Drawn::Random(fallback)) {
            Drawn::Random(number) => number,
            _ => fallback,
        }
    }

    fn uuid(&self, drawn: String) -> String {
        self.text(drawn)
    }

    fn name(&self, drawn: String) -> String {
        self.text(drawn)
    }

    fn now(&self, clock: i64) -> i64 {
        match self.draw(Drawn::Now(clock)) {
            Drawn::Now(moment) => moment,
            _ => clock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_takes_the_place_of_what_is_drawn() {
        let known = Known::from([(1, Drawn::Text("recorded".into())), (2, Drawn::Now(5))]);
        let draws = Draws::new(known, Extreme::Seed);
        draws.at(3);
        assert_eq!((draws.uuid("a".to_owned()), draws.name("b".to_owned())), ("a".to_owned(), "recorded".to_owned()));
        // A known value of another kind is that of another draw.
        assert!((draws.random(0.25) - 0.25).abs() < f64::EPSILON);
        assert_eq!(draws.log().iter().map(|draw| (draw.events, draw.known)).collect::<Vec<_>>(), [(3, false), (3, true), (3, false)]);
    }

    #[test]
    fn extremes_stand_for_unknown_random_numbers_alone() {
        let draws = Draws::new(Known::from([(0, Drawn::Random(0.5))]), Extreme::Greatest);
        assert!((draws.random(0.1) - 0.5).abs() < f64::EPSILON);
        assert!(draws.random(0.1) > 0.999 && draws.random(0.1) < 1.0);
    }
}
