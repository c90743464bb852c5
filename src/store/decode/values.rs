//! What columns hold once they were read.

/// Texts: each row has the number of one, or of none.
#[derive(Debug, Default)]
pub(in crate::store) struct Texts {
    /// All texts, one after the other; each page has its own.
    pages: Vec<String>,
    spans: Vec<Span>,
    /// The texts that pages name by their numbers: the first, and how many.
    dictionary: (u32, u32),
    /// For each row a position in `spans`, or [`NONE`].
    pub rows: Vec<u32>,
}

/// The number of a row without text.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Span {
    page: u32,
    start: u32,
    end: u32,
}

impl Texts {
    /// How many different texts there are, or would be.
    pub fn count(&self) -> u32 {
        u32::try_from(self.spans.len()).unwrap_or(NONE)
    }

    /// The texts added since `first` are what pages name by their numbers.
    pub fn set_dictionary(&mut self, first: u32) {
        self.dictionary = (first, self.count() - first);
    }

    /// The number of a text that a page names; `None` for one that its dictionary does not have.
    #[inline]
    pub fn in_dictionary(&self, number: u32) -> Option<u32> {
        (number < self.dictionary.1).then(|| self.dictionary.0 + number)
    }

    /// Begins a page of texts.
    pub fn begin_page(&mut self, bytes: usize) {
        self.pages.push(String::with_capacity(bytes));
    }

    /// Adds a text to the page that was begun last; `None` when there are too many.
    pub fn add(&mut self, text: &str) -> Option<u32> {
        let page = u32::try_from(self.pages.len()).ok()?.checked_sub(1)?;
        let last = self.pages.last_mut()?;
        let start = u32::try_from(last.len()).ok()?;
        last.push_str(text);
        let end = u32::try_from(last.len()).ok()?;
        let number = self.count();
        self.spans.push(Span { page, start, end });
        (number < NONE).then_some(number)
    }

    /// The texts by their numbers.
    pub fn table(&self) -> Vec<&str> {
        let text = |span: &Span| {
            let page = self.pages.get(span.page as usize)?;
            page.get(span.start as usize..span.end as usize)
        };
        self.spans.iter().map(|span| text(span).unwrap_or_default()).collect()
    }

    /// Something made of each text, for each row.
    pub fn map<T: Copy>(&self, make: impl Fn(&str) -> T) -> Mapped<'_, T> {
        Mapped { values: self.table().into_iter().map(make).collect(), rows: &self.rows }
    }

    /// The texts of the rows.
    pub fn view(&self) -> Mapped<'_, &str> {
        Mapped { values: self.table(), rows: &self.rows }
    }
}

/// A value for each different text, and which row has which.
pub(in crate::store) struct Mapped<'a, T> {
    values: Vec<T>,
    rows: &'a [u32],
}

impl<T: Copy> Mapped<'_, T> {
    /// `None` for a row without text, and for one that the column does not reach.
    #[inline]
    pub fn get(&self, row: usize) -> Option<T> {
        let number = *self.rows.get(row)?;
        self.values.get(number as usize).copied()
    }
}

/// Whole numbers and moments.
#[derive(Debug, Default)]
pub(in crate::store) struct Integers(pub Vec<i64>);

/// The number of a row without one; no moment and no count is as small.
pub(super) const NO_INTEGER: i64 = i64::MIN;

impl Integers {
    /// `None` for a row without number.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i64> {
        self.0.get(row).copied().filter(|value| *value != NO_INTEGER)
    }

    /// As counts and ids are; a negative one is none.
    #[inline]
    pub fn unsigned(&self, row: usize) -> Option<u64> {
        self.get(row).and_then(|value| u64::try_from(value).ok())
    }

    /// As counts within an execution are.
    #[inline]
    pub fn small(&self, row: usize) -> Option<u32> {
        self.get(row).and_then(|value| u32::try_from(value).ok())
    }
}

/// Milliseconds with a fraction.
#[derive(Debug, Default)]
pub(in crate::store) struct Doubles(pub Vec<f64>);

impl Doubles {
    /// `None` for a row without number; a number that is none is none, too.
    #[inline]
    pub fn get(&self, row: usize) -> Option<f64> {
        self.0.get(row).copied().filter(|value| !value.is_nan())
    }
}

/// True or false.
#[derive(Debug, Default)]
pub(in crate::store) struct Flags(pub Vec<Option<bool>>);

impl Flags {
    /// `None` for a row without flag.
    #[inline]
    pub fn get(&self, row: usize) -> Option<bool> {
        self.0.get(row).copied().flatten()
    }
}
