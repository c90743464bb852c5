//! The queries that come with the program, each a file that opens with the question it answers.

/// A query with a name.
#[derive(Debug, Clone, Copy)]
pub struct Saved {
    /// The file's name without its ending.
    pub name: &'static str,
    /// The whole file.
    pub text: &'static str,
}

macro_rules! saved {
    ($($name:literal,)*) => {
        &[$(Saved { name: $name, text: include_str!(concat!("../../../queries/logs-insights/", $name, ".query")) },)*]
    };
}

/// All of them, in the order of their names.
pub const SAVED: &[Saved] = saved! {
    "errors",
    "execution",
    "express-cost",
    "failed-executions",
    "failing-calls",
    "failing-states",
    "failures-by-version",
    "most-retried",
    "open-callbacks",
    "open-executions",
    "retries-per-minute",
    "slowest-executions",
    "slowest-states",
    "state-visits",
    "throttles",
    "throughput",
    "timeouts",
    "truncated-payloads",
};

/// The query of this name.
pub fn saved(name: &str) -> Option<&'static Saved> {
    SAVED.iter().find(|query| query.name == name)
}

#[cfg(test)]
mod tests {
    use super::super::InsightsQuery;
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries/logs-insights");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().trim_end_matches(".query").to_owned())
            .collect();
        files.sort();
        assert_eq!(files, SAVED.iter().map(|query| query.name).collect::<Vec<_>>());
    }

    #[test]
    fn every_query_says_what_it_answers_needs_and_returns() {
        for Saved { name, text } in SAVED {
            let query = InsightsQuery::read(text);
            assert!(query.question.ends_with('?'), "{name}: {}", query.question);
            let level = query.level.split(',').next().unwrap_or_default();
            assert!(["ALL", "ERROR", "FATAL"].contains(&level), "{name}: {}", query.level);
            assert!(!query.columns.is_empty(), "{name}");
            assert!(query.columns.iter().all(|column| !column.meaning.is_empty()), "{name}");
            assert!(query.parameters.iter().all(|parameter| !parameter.meaning.is_empty()), "{name}");
            for line in text.lines().filter(|line| line.starts_with('#')) {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
        }
    }
}
