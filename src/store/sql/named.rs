//! The queries that come with the program, each a file that opens with the question it answers.

/// A query with a name.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The file's name without its ending.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

macro_rules! named {
    ($($name:literal,)*) => {
        &[$(Named { name: $name, sql: include_str!(concat!("../../../queries/sql/", $name, ".sql")) },)*]
    };
}

/// All of them, in the order of their names.
pub const NAMED: &[Named] = named! {
    "caught-errors",
    "critical-path",
    "failed-children",
    "failing-states",
    "failures-by-day",
    "largest-inputs",
    "long-histories",
    "longest-executions",
    "retries",
    "retries-by-hour",
    "slowest-states",
    "transitions",
    "versions",
    "waiting",
};

/// The query of this name.
pub fn named(name: &str) -> Option<&'static Named> {
    NAMED.iter().find(|query| query.name == name)
}

impl Named {
    /// The question that it answers: its first line.
    pub fn question(&self) -> &'static str {
        self.sql.lines().next().unwrap_or_default().trim_start_matches("--").trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries/sql");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().trim_end_matches(".sql").to_owned())
            .collect();
        files.sort();
        assert_eq!(files, NAMED.iter().map(|query| query.name).collect::<Vec<_>>());
    }
}
