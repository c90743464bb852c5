//! `demo`: writes incidents made here as the files that a user of the AWS CLI would have, to try everything without AWS.
//!
//! The stories are ten small incidents told by hand, a file or folder each. Beside them stands one large incident, of hundreds of
//! executions that ran in a simulated world, for questions over many executions.

pub(super) mod stories;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::exit_code::Exit;
use crate::model::History;
use crate::model::wire::{WireBundle, WireExecution, WireHistory};
use crate::simulation;
use stories::{Form, Story};

/// The file of the large incident.
const INCIDENT: &str = "incident.jsonl.gz";

/// Write incidents into a folder, to try everything without AWS: a large one to triage, and ten small ones
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope demo && stepscope triage --input stepscope-demo/incident.jsonl.gz
  stepscope demo /tmp/incidents --force
  stepscope demo /tmp/stories --only stories")]
pub struct DemoArgs {
    /// The folder; it is made when it is not there
    #[arg(value_name = "DIR", default_value = "stepscope-demo")]
    pub folder: PathBuf,
    /// Write into a folder that is not empty; files of the same names are replaced
    #[arg(long)]
    pub force: bool,
    /// Write only the large incident, or only the small stories
    #[arg(long, value_enum, value_name = "WHAT")]
    pub only: Option<Part>,
}

/// A part of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Hundreds of executions of five state machines over two days, with what went wrong in them
    Incident,
    /// Ten small incidents, a file or folder each
    Stories,
}

/// Writes the files, lists them on `out` and says on `words` what to try next.
pub fn run(args: &DemoArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    prepare(&args.folder, args.force)?;
    let wanted = |part: Part| args.only.is_none_or(|only| only == part);
    let incident = if wanted(Part::Incident) { Some(write_incident(&args.folder)?) } else { None };
    if let Some((path, _)) = &incident {
        writeln!(out, "{}", path.display())?;
    }
    let stories = if wanted(Part::Stories) { stories::all() } else { Vec::new() };
    for story in &stories {
        let written = write_story(&args.folder, story)?;
        writeln!(out, "{}", written.display())?;
    }
    let executions = incident.map(|(_, executions)| executions);
    say_what_next(&args.folder, executions, &stories, words)?;
    Ok(Exit::Done)
}

fn prepare(folder: &Path, force: bool) -> anyhow::Result<()> {
    let shown = folder.display();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.count(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).with_context(|| format!("failed to make the folder `{shown}`"))?;
            0
        }
        Err(error) => return Err(error).with_context(|| format!("failed to read the folder `{shown}`")),
    };
    if entries > 0 && !force {
        bail!("`{shown}` is not empty; name another folder, or use --force to write into it");
    }
    Ok(())
}

/// The file of the large incident, and how many executions it holds.
fn write_incident(folder: &Path) -> anyhow::Result<(PathBuf, usize)> {
    let simulated = simulation::simulate(&simulation::incident())?;
    let target = folder.join(INCIDENT);
    write_file(&target, &compressed_lines(&simulated.histories)?)?;
    Ok((target, simulated.histories.len()))
}

/// A bundle a line, compressed. Neither name nor time go into the header, so that the bytes are the same on every run.
fn compressed_lines(histories: &[History]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for history in histories {
        serde_json::to_writer(&mut encoder, &WireBundle(history))?;
        encoder.write_all(b"\n")?;
    }
    Ok(encoder.finish()?)
}

/// The file or folder that holds the story.
fn write_story(folder: &Path, story: &Story) -> anyhow::Result<PathBuf> {
    let target = target(folder, story);
    match story.form {
        Form::Bundle => {
            for history in &story.histories {
                write_file(&target, &indented(&WireBundle(history))?)?;
            }
        }
        Form::CliFolder => {
            fs::create_dir_all(&target).with_context(|| format!("failed to make the folder `{}`", target.display()))?;
            for history in &story.histories {
                write_file(&target.join("describe-execution.json"), &indented(&WireExecution(history))?)?;
                write_file(&target.join("get-execution-history.json"), &indented(&WireHistory(history))?)?;
            }
        }
        Form::JsonLinesGzip => write_file(&target, &compressed_lines(&story.histories)?)?,
    }
    Ok(target)
}

fn target(folder: &Path, story: &Story) -> PathBuf {
    folder.join(match story.form {
        Form::Bundle => format!("{}.json", story.name),
        Form::CliFolder => story.name.to_owned(),
        Form::JsonLinesGzip => format!("{}.jsonl.gz", story.name),
    })
}

fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("failed to write `{}`", path.display()))
}

/// JSON with the indentation of the AWS CLI.
fn indented(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    ")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn say_what_next(folder: &Path, executions: Option<usize>, stories: &[Story], words: &mut dyn Write) -> io::Result<()> {
    let mut entries: Vec<(String, String)> = Vec::new();
    if let Some(executions) = executions {
        entries.push((INCIDENT.to_owned(), format!("a bad morning: {executions} executions, two days")));
    }
    entries.extend(stories.iter().map(|story| (target(Path::new(""), story).display().to_string(), story.tells.to_owned())));
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let counted = if entries.len() == 1 { "1 incident is".to_owned() } else { format!("{} incidents are", entries.len()) };
    writeln!(words, "\n{counted} in {}:\n", folder.display())?;
    for (name, tells) in &entries {
        writeln!(words, "  {name:width$}  {tells}")?;
    }
    writeln!(words, "\nTry next:\n")?;
    let file = |name: &str| shell_word(&folder.join(name).display().to_string());
    if executions.is_some() {
        writeln!(words, "  stepscope triage --input {}", file(INCIDENT))?;
        writeln!(words, "  stepscope failures --input {}", file(INCIDENT))?;
        writeln!(words, "  stepscope latency --input {}", file(INCIDENT))?;
    }
    if !stories.is_empty() {
        writeln!(words, "  stepscope why {}", file("retries-exhausted.json"))?;
        writeln!(words, "  stepscope show {}", file("map-iteration-failed.json"))?;
        writeln!(words, "  stepscope show --timeline {}", file("polling-timed-out.json"))?;
        writeln!(words, "  stepscope replay {}", file("caught-then-failed.json"))?;
    }
    Ok(())
}

/// Quoted for a POSIX shell, where it must be.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Only the stories, which are made at once.
    fn args(folder: &Path, force: bool) -> DemoArgs {
        DemoArgs { folder: folder.to_owned(), force, only: Some(Part::Stories) }
    }

    fn all(folder: &Path) -> DemoArgs {
        DemoArgs { only: None, ..args(folder, false) }
    }

    fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(at) = folders.pop() {
            for entry in fs::read_dir(at).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).expect("inside").to_owned();
                    found.insert(name, fs::read(&path).expect("a file"));
                }
            }
        }
        found
    }

    #[test]
    fn the_same_bytes_come_out_on_every_run() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for folder in [&one, &other] {
            run(&all(&folder.path().join("made/here")), &mut io::sink(), &mut io::sink()).expect("written");
        }
        let written = files(one.path());
        assert_eq!(written, files(other.path()));
        assert_eq!(written.len(), 12, "eleven incidents, one of them in two files");
        let incident = written[Path::new("made/here").join(INCIDENT).as_path()].len();
        assert!((200_000..2_000_000).contains(&incident), "{incident} bytes");
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone_unless_forced() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("redriven.json"), "mine").expect("written");
        let refused = run(&args(folder.path(), false), &mut io::sink(), &mut io::sink()).expect_err("not empty");
        assert!(refused.to_string().contains("is not empty; name another folder, or use --force"), "{refused}");
        assert_eq!(files(folder.path()).len(), 1);
        run(&args(folder.path(), true), &mut io::sink(), &mut io::sink()).expect("forced");
        assert!(fs::read_to_string(folder.path().join("redriven.json")).expect("a file").starts_with("{\n    \"execution\": {"));
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "mine").expect("written");
        assert!(run(&args(&file, true), &mut io::sink(), &mut io::sink()).is_err());
        assert_eq!(fs::read(&file).expect("a file"), b"mine");
    }

    #[test]
    fn files_are_listed_and_the_next_commands_name_files_that_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("it's here");
        let (mut out, mut words) = (Vec::new(), Vec::new());
        run(&all(&target), &mut out, &mut words).expect("written");
        let out = String::from_utf8(out).expect("text");
        assert!(out.lines().all(|line| Path::new(line).exists()) && out.lines().count() == 11, "{out}");
        let words = String::from_utf8(words).expect("text");
        let commands: Vec<&str> = words.lines().filter_map(|line| line.strip_prefix("  stepscope ")).collect();
        assert_eq!(commands.len(), 7);
        assert!(commands[0].starts_with("triage "), "it leads with the main job");
        for command in commands {
            let quoted = &command[command.find('\'').expect("a quoted path")..];
            let path = quoted.trim_matches('\'').replace("'\\''", "'");
            assert!(Path::new(&path).exists(), "{path}");
        }
    }

    #[test]
    fn one_part_can_be_had_alone() {
        let written = |only| {
            let folder = tempfile::tempdir().expect("a folder");
            let (mut words, args) = (Vec::new(), DemoArgs { only: Some(only), ..args(folder.path(), false) });
            run(&args, &mut io::sink(), &mut words).expect("written");
            (files(folder.path()).len(), String::from_utf8(words).expect("text"))
        };
        let (count, words) = written(Part::Incident);
        assert!(count == 1 && words.contains("1 incident is in") && words.contains("triage") && !words.contains(" why "), "{words}");
        let (count, words) = written(Part::Stories);
        assert!(count == 11 && words.contains("10 incidents are in") && words.contains(" why ") && !words.contains("triage"), "{words}");
    }

    #[test]
    fn what_is_written_reads_as_the_histories_that_were_told() {
        let folder = tempfile::tempdir().expect("a folder");
        run(&args(folder.path(), true), &mut io::sink(), &mut io::sink()).expect("written");
        for story in stories::all() {
            let mut read = Vec::new();
            let mut sink = |history| read.push(history);
            crate::sources::read_path(&target(folder.path(), &story), &crate::sources::Limits::default(), &mut sink);
            assert_eq!(read.len(), story.histories.len(), "{}", story.name);
            for (read, told) in read.into_iter().zip(&story.histories) {
                let read: crate::model::History = read.expect("no error");
                let value = |history| serde_json::to_value(WireBundle(history)).expect("strings and numbers");
                assert!(value(&read) == value(told), "{}", story.name);
                assert_eq!(read.gaps, [], "{}", story.name);
            }
        }
    }

    #[test]
    fn every_definition_names_the_states_that_its_history_enters() {
        for history in stories::all().iter().flat_map(|story| &story.histories) {
            let Some(definition) = &history.definition else { continue };
            let definition = crate::asl::Definition::parse(&definition.decode()).expect("a definition");
            for event in &history.events {
                if let Some(name) = event.state_name() {
                    assert!(definition.find(&name.decode()).is_some(), "{name:?} is not in the definition of {}", history.origin);
                }
            }
        }
    }
}
