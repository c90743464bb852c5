//! Holds what the pages for readers quote and name: files, links, screens, exit codes.

use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/json.md",
    "docs/why-logs.md",
    "docs/logs.md",
    "docs/performance.md",
    "docs/interpreter.md",
    "docs/run.md",
    "docs/test-state.md",
    "docs/replay.md",
    "docs/latency.md",
    "docs/traces.md",
    "docs/triage.md",
    "docs/changes.md",
    "docs/detectors.md",
    "docs/demo.md",
    "docs/failures.md",
    "docs/compare.md",
    "docs/audit.md",
    "docs/variants.md",
    "docs/cost.md",
    "docs/tables.md",
    "docs/store.md",
    "docs/queries.md",
    "docs/iam-policy.md",
    "docs/pull-logs.md",
    "docs/maps.md",
    "docs/callbacks.md",
    "docs/runway.md",
    "docs/pull.md",
    "docs/storms.md",
];

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of a page in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// What stands between code marks outside of fenced blocks.
fn code_words(page: &str) -> Vec<String> {
    let prose: String = page.split("```").step_by(2).collect();
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn stepscope(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stepscope")).current_dir(folder).args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The words of a command line, with what stands in single quotes as it is.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (position, part) in command.split('\'').enumerate() {
        let mut pieces = if position % 2 == 0 { part.split(' ').collect() } else { vec![part] }.into_iter();
        words.last_mut().expect("a word").push_str(pieces.next().unwrap_or_default());
        words.extend(pieces.map(str::to_owned));
    }
    words
}

#[test]
fn the_readme_quotes_what_the_program_writes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    stepscope(folder.path(), &["demo", "--force", "stepscope-demo"]);
    let quoted = blocks(&page("README.md"), "text");
    assert_eq!(quoted.len(), 4);
    for quoted in quoted {
        let (command, screen) = quoted.split_once('\n').expect("a command and its output");
        let arguments = words(command.strip_prefix("$ stepscope ").expect("a command"));
        let written = stepscope(folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let mut rest = written.as_str();
        for part in screen.split("…\n") {
            let at = rest.find(part).unwrap_or_else(|| panic!("the README quotes\n{part}\nand the program writes\n{written}"));
            rest = &rest[at + part.len()..];
        }
    }
}

#[test]
fn the_commands_of_the_readme_run_in_their_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let readme = page("README.md");
    let line = blocks(&readme, "sh").into_iter().find(|block| block.starts_with("cargo run")).expect("the command to try it");
    for _ in 0..2 {
        for command in line.trim().split(" && ") {
            let arguments: Vec<&str> = command.strip_prefix("cargo run -- ").expect("it runs the program").split(' ').collect();
            assert!(!stepscope(folder.path(), &arguments).is_empty());
        }
    }
    let replay = code_words(&readme).into_iter().find(|word| word.starts_with("cargo run -- replay")).expect("a replay to try");
    assert!(stepscope(folder.path(), &words(&replay)[3..].iter().map(String::as_str).collect::<Vec<_>>()).starts_with("REPRODUCED"));
}

#[test]
fn the_queries_of_the_pages_can_be_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    stepscope(folder.path(), &["demo", "demo", "--only", "stories"]);
    stepscope(folder.path(), &["ingest", "demo", "--store", "store"]);
    let mut asked = 0;
    for name in PAGES {
        for block in blocks(&page(name), "sh") {
            for query in block.lines().filter_map(|line| line.strip_prefix("stepscope query \"")?.split('"').next()) {
                let arguments = ["query", query, "--store", "store"];
                let output = Command::new(env!("CARGO_BIN_EXE_stepscope")).current_dir(folder.path()).args(arguments).output();
                let output = output.expect("the program runs");
                // 4: no row matched.
                let is_answered = matches!(output.status.code(), Some(0 | 4));
                assert!(is_answered, "{name}: {query}: {}", String::from_utf8_lossy(&output.stderr));
                asked += 1;
            }
        }
    }
    assert!(asked >= 4, "{asked} queries were found");
}

#[test]
fn files_that_the_pages_name_are_there() {
    for name in PAGES {
        let text = page(name);
        for word in code_words(&text) {
            let path = word.split([' ', ':']).next().unwrap_or_default();
            if ["src/", "tests/", "docs/", "benches/", "fuzz/", "scripts/", ".ci/"].iter().any(|folder| path.starts_with(folder)) {
                assert!(Path::new(ROOT).join(path).exists(), "{name} names `{path}`");
            }
        }
        let folder = Path::new(ROOT).join(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !link.starts_with("https://") && !path.is_empty() {
                assert!(folder.parent().expect("a folder").join(path).exists(), "{name} links to {link}");
            }
        }
    }
}

#[test]
fn the_tour_names_files_that_stand_in_the_module() {
    let mut module = String::new();
    let architecture = page("ARCHITECTURE.md");
    let tour = architecture.split("## The tour").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the tour");
    let mut named = 0;
    for paragraph in tour.split("\n\n").filter(|paragraph| paragraph.starts_with("**`")) {
        for word in code_words(paragraph) {
            if paragraph.starts_with(&format!("**`{word}`")) {
                module = format!("{ROOT}/src/{word}");
                assert!(Path::new(&module).is_dir(), "{word}");
            }
            if [".rs", ".toml"].iter().any(|ending| word.ends_with(ending)) {
                let found = Path::new(&module).join(&word).exists()
                    || std::fs::read_dir(&module).expect("a folder").flatten().any(|entry| entry.path().join(&word).exists());
                assert!(found, "{module} has no {word}");
                named += 1;
            }
        }
    }
    assert!(named > 25, "the tour names {named} files");
}

#[test]
fn exit_codes_are_the_same_wherever_they_stand() {
    let codes = |name: &str| -> Vec<String> {
        let text = page(name);
        let table = text.lines().skip_while(|line| !line.contains("code | meaning"));
        let rows = table.skip(2).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('|').nth(1).unwrap_or_default().trim().to_owned()).collect()
    };
    assert_eq!(codes("README.md"), ["0", "1", "2", "3", "4", "130"]);
    assert_eq!(codes("docs/json.md"), codes("README.md"));
}

#[test]
fn the_page_of_audit_lists_every_rule() {
    let text = page("docs/audit.md");
    let rows = |line: &&str| line.starts_with("| `");
    let listed: Vec<String> = text.split("## Rules").nth(1).expect("a list").lines().filter(rows).map(str::to_owned).collect();
    let list = stepscope::analysis::audit::catalogue::list(|_| true);
    let wanted: Vec<String> = list
        .rules
        .iter()
        .map(|rule| format!("| `{}` | {} | {}. {} [Source]({}) |", rule.rule, rule.level.name(), rule.title, rule.reason, rule.source))
        .collect();
    assert_eq!(listed.join("\n"), wanted.join("\n"), "docs/audit.md lists the rules as `stepscope audit --rules` does");
}
