//! `show`: what one execution did, as a tree, as bars, as events, or one state of it in full.

use std::io::Write;

use anyhow::bail;
use clap::Args;

use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::load::{ExecArgs, Loader, NothingFailed, definition_of};
use super::output::{TextSettings, document};
use super::traces::{self, TraceArgs};
use crate::analysis::execution::Incomplete;
use crate::analysis::show::{self, ShowReport};
use crate::analysis::trace::TraceReport;
use crate::model::path::ExecutionPath;
use crate::model::wire::WireHistory;
use crate::model::{ExecutionArn, History, RawText};
use crate::rebuild::rebuild;
use crate::render::{events, show as tree, state, timeline};

/// Show what an execution did: its states, attempts, branches and iterations
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope show history.json
  stepscope show --timeline \\
    arn:aws:states:us-east-1:111111111111:execution:Orders:run-1
  stepscope show --state ChargeCard history.json
  stepscope show --events history.json
  stepscope show history.json --trace traces.json
  stepscope show --output json history.json \\
    | jq '.visits[] | select(.outcome == \"failed\")'
  aws stepfunctions get-execution-history --execution-arn ARN \\
    | stepscope show -")]
pub struct ShowArgs {
    #[command(flatten)]
    execs: ExecArgs,
    /// This execution among those read, by name or ARN
    #[arg(long, value_name = "NAME")]
    execution: Option<String>,
    /// Draw bars over a common time axis
    #[arg(long, conflicts_with_all = ["events", "state"])]
    timeline: bool,
    /// List the events; with --output json the history as the AWS CLI prints it
    #[arg(long, conflicts_with = "state")]
    events: bool,
    /// Show every visit of this state with its input, attempts and output
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
    #[command(flatten)]
    traces: TraceArgs,
}

/// Reads one execution, rebuilds and shows it.
pub fn run(args: &ShowArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.traces.is_wanted() && (args.events || args.state.is_some()) {
        return Err(WrongUsage("--trace goes with the tree and with --timeline; --events and --state show no spans".to_owned()).into());
    }
    let mut loader = Loader::new(&args.execs, global, words);
    let mut found = Found::default();
    let read = loader.each(&args.execs, &mut |history| found.add(history, args.execution.as_deref()));
    if let Some(nothing) = read.as_ref().err().and_then(|error| error.downcast_ref::<NothingFailed>()) {
        loader.note(&nothing.to_string());
        return Ok(Exit::NothingMatched);
    }
    read?;
    if found.matching > 1 {
        return Err(WrongUsage(found.choose_one()).into());
    }
    let Some(mut history) = found.first else {
        if loader.problems() == 0 {
            loader.note(
                &args
                    .execution
                    .as_ref()
                    .map_or("no execution in the input".to_owned(), |name| format!("none of {} executions is `{name}`", found.read)),
            );
        }
        return Ok(if loader.problems() > 0 { Exit::Failed } else { Exit::NothingMatched });
    };
    let definition = definition_of(&mut history);
    let path = rebuild(&history, definition.as_ref());
    let trace = args.traces.is_wanted().then(|| traces::of_execution(&args.traces, &history, &path, &mut loader));
    let settings = TextSettings::resolve(global);
    write(args, &Shown { history: &history, path: &path, trace }, global.output, &settings, out)?;
    Ok(if loader.problems() > 0 { Exit::Failed } else { Exit::Done })
}

/// The executions read: one is shown.
#[derive(Default)]
struct Found {
    read: usize,
    matching: usize,
    first: Option<History>,
    /// Of the first few that have one.
    names: Vec<String>,
}

impl Found {
    fn add(&mut self, history: History, wanted: Option<&str>) {
        const NAMED: usize = 5;
        self.read += 1;
        let header = &history.header;
        let arn = header.arn.as_ref().map(ExecutionArn::as_str);
        if wanted.is_some_and(|wanted| header.name.as_deref() != Some(wanted) && arn != Some(wanted)) {
            return;
        }
        self.matching += 1;
        self.names.extend(header.name.clone().filter(|_| self.names.len() < NAMED));
        self.first.get_or_insert(history);
    }

    /// What to say when several match. A bare history has no name to choose it by.
    fn choose_one(&self) -> String {
        let how = if self.names.is_empty() { "name the file of one".to_owned() } else { self.named() };
        format!("{} executions in the input; {how}", self.matching)
    }

    fn named(&self) -> String {
        let more = if self.names.len() < self.matching { ", …" } else { "" };
        format!("choose one with --execution NAME: {}{more}", self.names.join(", "))
    }
}

/// What is shown.
struct Shown<'s> {
    history: &'s History,
    path: &'s ExecutionPath,
    /// Where one was asked for: the trace, or why there is none.
    trace: Option<Result<TraceReport, Incomplete>>,
}

impl Shown<'_> {
    fn report(&self) -> ShowReport {
        let mut report = show::show(self.history, self.path);
        match &self.trace {
            Some(Ok(trace)) => report.trace = Some(trace.clone()),
            Some(Err(missing)) => report.incomplete.push(missing.clone()),
            None => {}
        }
        report
    }
}

fn write(
    args: &ShowArgs,
    shown: &Shown<'_>,
    format: OutputFormat,
    settings: &TextSettings,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let TextSettings { styles, redactor, width } = settings;
    let Shown { history, path, .. } = *shown;
    let width = *width;
    let is_text = format == OutputFormat::Text;
    if let Some(name) = &args.state {
        let report = show::state(history, path, name);
        if report.visits.is_empty() {
            bail!("{}", no_such_state(name, path));
        }
        if is_text {
            state::state(&report, styles, redactor, width, out)?;
        } else {
            document(&report, format, *redactor, out)?;
        }
        return Ok(());
    }
    match (args.events, is_text) {
        (true, true) => events::events(&show::events(history, path), styles, redactor, width, out)?,
        (true, false) => document(&WireHistory(history), format, *redactor, out)?,
        (false, true) if args.timeline => timeline::timeline(&shown.report(), styles, redactor, width, out)?,
        (false, true) => tree::tree(&shown.report(), styles, redactor, width, out)?,
        (false, false) => document(&shown.report(), format, *redactor, out)?,
    }
    Ok(())
}

/// Names the states that there are: most often it is a matter of spelling.
fn no_such_state(name: &str, path: &ExecutionPath) -> String {
    const MOST: usize = 20;
    let mut names: Vec<String> =
        path.visits.iter().filter_map(|visit| visit.state.as_ref()).map(|name: &RawText| name.decode().into_owned()).collect();
    names.sort_unstable();
    names.dedup();
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    names.truncate(MOST);
    if names.is_empty() {
        return format!("the execution entered no state `{name}`, nor any other that the history names");
    }
    format!("the execution entered no state `{name}`; it entered {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asl::Definition;
    use crate::cli::demo::stories;
    use crate::render::redact::Redactor;
    use crate::render::styles::Styles;

    fn args() -> ShowArgs {
        let execs = ExecArgs { execs: Vec::new(), state_machine: None, latest_failed: false, definitions: None };
        ShowArgs { execs, execution: None, timeline: false, events: false, state: None, traces: TraceArgs::default() }
    }

    fn shown(args: &ShowArgs, history: &History, format: OutputFormat) -> anyhow::Result<String> {
        let definition = history.definition.as_ref().map(|text| Definition::parse(&text.decode()).expect("a definition"));
        let path = rebuild(history, definition.as_ref());
        let mut out = Vec::new();
        let settings = TextSettings { styles: Styles::plain(), redactor: Redactor::new(true), width: 80 };
        write(args, &Shown { history, path: &path, trace: None }, format, &settings, &mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    fn story(name: &str) -> History {
        stories::all().into_iter().find(|story| story.name == name).expect("a story of the demo").histories.remove(0)
    }

    fn text(args: &ShowArgs, name: &str) -> String {
        shown(args, &story(name), OutputFormat::Text).expect("shown")
    }

    fn json(args: &ShowArgs, name: &str) -> serde_json::Value {
        serde_json::from_str(&shown(args, &story(name), OutputFormat::Json).expect("shown")).expect("JSON")
    }

    #[test]
    fn every_incident_as_a_tree() {
        for story in stories::all() {
            for history in &story.histories {
                let name = format!("tree-{}-{}", story.name, history.header.name.as_deref().unwrap_or_default());
                insta::assert_snapshot!(name, shown(&args(), history, OutputFormat::Text).expect("shown"));
            }
        }
    }

    #[test]
    fn every_incident_as_bars() {
        let args = ShowArgs { timeline: true, ..args() };
        for story in stories::all() {
            for history in &story.histories {
                let name = format!("timeline-{}-{}", story.name, history.header.name.as_deref().unwrap_or_default());
                insta::assert_snapshot!(name, shown(&args, history, OutputFormat::Text).expect("shown"));
            }
        }
    }

    #[test]
    fn events_as_a_table() {
        insta::assert_snapshot!("events", text(&ShowArgs { events: true, ..args() }, "map-iteration-failed"));
    }

    #[test]
    fn a_state_with_its_payloads_and_no_secrets() {
        let shown = text(&ShowArgs { state: Some("AskManager".to_owned()), ..args() }, "stuck-callback");
        assert!(!shown.contains("AQCEAAAAKgAAAAMAAAAAAAAAAUZha2U") && !shown.contains("fake-key-0123456789abcdef"), "{shown}");
        insta::assert_snapshot!("state", shown);
    }

    #[test]
    fn lines_fit_the_screen_but_for_what_is_to_be_copied() {
        for story in stories::all() {
            for view in [args(), ShowArgs { timeline: true, ..args() }, ShowArgs { events: true, ..args() }] {
                for line in text(&view, story.name).lines() {
                    let fits = unicode_width::UnicodeWidthStr::width(line) <= 80;
                    assert!(fits || line.contains("arn:aws:states"), "{}: {line}", story.name);
                    assert_eq!(line.trim_end(), line, "{}", story.name);
                }
            }
        }
    }

    #[test]
    fn json_says_what_the_screens_say() {
        let report = json(&args(), "map-iteration-failed");
        assert_eq!(report["schema"], "stepscope.show/1");
        assert_eq!(report["execution"]["status"], "FAILED");
        let failed: Vec<&str> = report["visits"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|visit| visit["outcome"] == "failed" && visit["failed_by"].is_null())
            .filter_map(|visit| visit["state"].as_str())
            .collect();
        assert_eq!(failed, ["BuyLabel"]);
        assert_eq!(report["tree"][1]["row"], "scopes");
        assert_eq!(report["tree"][1]["indices"], serde_json::json!([[0, 0], [2, 2]]));
    }

    #[test]
    fn events_as_json_are_the_history_with_secrets_masked() {
        let events = json(&ShowArgs { events: true, ..args() }, "stuck-callback");
        let parameters = events["events"][9]["taskScheduledEventDetails"]["parameters"].as_str().expect("text");
        let parameters: serde_json::Value = serde_json::from_str(parameters).expect("JSON in a string");
        assert_ne!(parameters["MessageBody"]["TaskToken"], stories::TOKEN);
        assert_eq!(parameters["QueueUrl"], "https://sqs.us-east-1.amazonaws.com/111111111111/refund-approvals");
        assert_eq!(events["events"][0]["timestamp"], "2026-01-01T00:00:00+00:00");
    }

    #[test]
    fn one_line_for_each_document_of_jsonl() {
        for view in [args(), ShowArgs { events: true, ..args() }, ShowArgs { state: Some("ChargeCard".to_owned()), ..args() }] {
            let line = shown(&view, &story("retries-exhausted"), OutputFormat::Jsonl).expect("shown");
            assert_eq!(line.lines().count(), 1);
        }
    }

    #[test]
    fn a_state_that_was_not_entered_is_an_error_that_names_those_that_were() {
        let view = ShowArgs { state: Some("chargecard".to_owned()), ..args() };
        let error = shown(&view, &story("retries-exhausted"), OutputFormat::Text).expect_err("no such state");
        assert_eq!(error.to_string(), "the execution entered no state `chargecard`; it entered ChargeCard, ReserveStock, ValidateOrder");
    }

    #[test]
    fn escape_sequences_in_names_and_causes_do_not_reach_the_terminal() {
        let hostile = "\u{1b}]0;owned\u{7}\u{202e}";
        let history = crate::model::builder::history("Orders")
            .enter_task(hostile, serde_json::json!(hostile))
            .attempt_failed(hostile, Some(hostile))
            .execution_failed()
            .build();
        let views = [
            args(),
            ShowArgs { timeline: true, ..args() },
            ShowArgs { events: true, ..args() },
            ShowArgs { state: Some(hostile.to_owned()), ..args() },
        ];
        for view in views {
            for format in [OutputFormat::Text, OutputFormat::Json] {
                let text = shown(&view, &history, format).expect("shown");
                assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
            }
        }
    }

    #[test]
    fn an_empty_history_and_the_deepest_one_are_shown() {
        let mut cursors = vec![crate::model::builder::history("Deep")];
        for depth in 0..200 {
            let inner = cursors[depth].enter_parallel(&format!("Level{depth}"), serde_json::json!({})).parallel_started().branch();
            cursors.push(inner);
        }
        let deep = cursors[0].build();
        for view in [args(), ShowArgs { timeline: true, ..args() }] {
            let text = shown(&view, &deep, OutputFormat::Text).expect("shown");
            assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{text}");
            assert!(shown(&view, &History::default(), OutputFormat::Text).is_ok());
        }
    }
}
