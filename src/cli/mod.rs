//! The command line: one file per verb; each joins the stages and is imported by nobody.

mod audit;
mod aws_settings;
mod callbacks;
mod compare;
mod completion;
mod cost;
mod demo;
mod exit_code;
mod failures;
mod filling;
mod fleet;
mod global;
mod iam_policy;
mod ingest;
mod latency;
mod load;
mod man;
mod maps;
mod output;
mod plot;
mod problems;
mod progress;
mod pull;
mod queries;
mod query;
mod replay;
mod run;
mod settings;
mod show;
mod store;
mod stored;
mod storms;
mod task_log;
mod test_state;
mod tokens;
mod traces;
mod triage;
mod variants;
mod why;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit_code::Exit;

/// Explains failed executions of AWS Step Functions: the failing state, the input it received, and why
#[derive(Debug, Parser)]
#[command(name = "stepscope", version, about, propagate_version = true, arg_required_else_help = true, max_term_width = 80, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    global: global::GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:
  stepscope why arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1
  stepscope why history.json
  stepscope why --state-machine Orders --latest-failed
  stepscope show history.json --timeline
  stepscope replay history.json --definition order.asl.json
  stepscope run order.asl.json --input '{\"id\": 7}' --mock '*={}'
  stepscope audit order.asl.json
  stepscope demo

Everything is read-only: no verb changes anything in AWS.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 found something (with
--exit-status or audit --deny), 4 nothing matched, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Verb {
    Why(why::WhyArgs),
    Show(show::ShowArgs),
    Triage(triage::TriageArgs),
    Replay(replay::ReplayArgs),
    Run(Box<run::RunArgs>),
    Storms(storms::StormsArgs),
    Callbacks(callbacks::CallbacksArgs),
    Latency(latency::LatencyArgs),
    Compare(compare::CompareArgs),
    Audit(audit::AuditArgs),
    Query(query::QueryArgs),
    Queries(queries::QueriesArgs),
    Cost(cost::CostArgs),
    Ingest(ingest::IngestArgs),
    Pull(Box<pull::PullArgs>),
    Store(store::StoreArgs),
    TestState(test_state::TestStateArgs),
    Failures(failures::FailuresArgs),
    Maps(Box<maps::MapsArgs>),
    Variants(Box<variants::VariantsArgs>),
    IamPolicy(iam_policy::IamPolicyArgs),
    Demo(demo::DemoArgs),
    Completion(completion::CompletionArgs),
    Man(man::ManArgs),
}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let mut cli = Cli::parse();
    let out = &mut io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let has_rows = matches!(&cli.verb, Verb::Query(_)) || matches!(&cli.verb, Verb::Queries(args) if args.has_rows());
    let resolved = cli.global.resolve(has_rows).map_err(anyhow::Error::from);
    // Not locked: progress is drawn by another thread.
    let words = &mut io::stderr();
    let done = resolved.and_then(|()| run(&cli, out, words)).and_then(|exit| out.flush().map(|()| exit).map_err(anyhow::Error::from));
    match done {
        Ok(exit) => ExitCode::from(exit.code()),
        // Whoever reads has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::from(Exit::Done.code()),
        Err(error) => {
            // What was found before is worth having; a pipe that is closed as well changes nothing.
            let _ = out.flush();
            let doing = if error.chain().len() == 1 && error.is::<io::Error>() { "failed to write the answer: " } else { "" };
            output::say(words, output::redactor(&cli.global), &format!("{doing}{error:#}"));
            let code = error.downcast_ref::<exit_code::WrongUsage>().map_or(Exit::Failed, |_| Exit::WrongUsage);
            ExitCode::from(code.code())
        }
    }
}

fn run(cli: &Cli, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    match &cli.verb {
        Verb::Why(args) => why::run(args, &cli.global, out, words),
        Verb::Replay(args) => replay::run(args, &cli.global, out, words),
        Verb::Show(args) => show::run(args, &cli.global, out, words),
        Verb::Triage(args) => triage::run(args, &cli.global, out, words),
        Verb::Storms(args) => storms::run(args, &cli.global, out, words),
        Verb::Callbacks(args) => callbacks::run(args, &cli.global, out, words),
        Verb::Run(args) => run::run(args, &cli.global, out, words),
        Verb::Latency(args) => latency::run(args, &cli.global, out, words),
        Verb::Compare(args) => compare::run(args, &cli.global, out, words),
        Verb::Audit(args) => audit::run(args, &cli.global, out, words),
        Verb::Query(args) => query::run(args, &cli.global, out, words),
        Verb::Queries(args) => queries::run(args, &cli.global, out, words),
        Verb::Cost(args) => cost::run(args, &cli.global, out, words),
        Verb::Ingest(args) => ingest::run(args, &cli.global, out, words),
        Verb::Pull(args) => pull::run(args, &cli.global, out, words),
        Verb::Store(args) => store::run(args, &cli.global, out, words),
        Verb::TestState(args) => test_state::run(args, &cli.global, out, words),
        Verb::Failures(args) => failures::run(args, &cli.global, out, words),
        Verb::Maps(args) => maps::run(args, &cli.global, out, words),
        Verb::Variants(args) => variants::run(args, &cli.global, out, words),
        Verb::IamPolicy(args) => iam_policy::run(args, &cli.global, out, words),
        Verb::Demo(args) => demo::run(args, out, words),
        Verb::Completion(args) => completion::run::<Cli>(args, out),
        Verb::Man(args) => man::run::<Cli>(args, out),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    let json = error.chain().find_map(|cause| cause.downcast_ref::<serde_json::Error>()).and_then(serde_json::Error::io_error_kind);
    io.map(io::Error::kind).or(json) == Some(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_examples_that_fit_a_terminal() {
        let cli = Cli::command();
        for verb in cli.get_subcommands().chain([&cli]) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n"), "{}", verb.get_name());
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", verb.get_name());
            }
        }
    }
}
