//! How much is read before an input counts as hostile or as a mistake.

/// Limits that every reader keeps, so that no input takes unbounded memory or time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most bytes in one document: a file's single document, or a line of JSON Lines. At most 4 GiB.
    pub document_bytes: usize,
    /// The deepest nesting of a payload or a definition that is not in a string.
    pub depth: usize,
    /// How many times its own size a compressed input may grow, once it is larger than a document may be.
    pub expansion: u64,
    /// How deep folders are followed.
    pub folders: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_bytes: 1 << 30, depth: 512, expansion: 2_000, folders: 64 }
    }
}

impl Limits {
    /// A document's limit, also where a larger one was set than texts can have.
    pub(super) fn document_bytes(&self) -> usize {
        self.document_bytes.min(u32::MAX as usize)
    }
}
