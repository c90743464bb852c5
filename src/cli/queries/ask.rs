//! `queries run`: puts a query to Logs Insights, waits, and writes the rows.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::super::aws_settings;
use super::super::exit_code::{Exit, WrongUsage};
use super::super::fleet::Moment;
use super::super::global::{GlobalArgs, OutputFormat};
use super::super::output::{TextSettings, redactor, say};
use super::group::{self, NoGroup, Target};
use super::{Found, QueryArgs, wrong};
use crate::analysis::insights::{Asked, InsightsAnswer, answer};
use crate::model::{Micros, StateMachineArn, Timestamp};
use crate::render;
use crate::sources::aws::AwsSource;
use crate::sources::aws::logs::{LogQuery, LogWindow, MOST_ROWS, QueryProgress, QueryResults};

/// More groups are refused by the service.
const MOST_GROUPS: usize = 50;

/// How often the line of the progress moves.
const PACE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    query: QueryArgs,
    /// The state machine whose log group is asked: a name or an ARN
    ///
    /// A query of `queries list` then looks at its executions only.
    #[arg(long, value_name = "NAME")]
    state_machine: Option<String>,
    /// Ask this log group, by its name or ARN; may be given several times
    #[arg(long, value_name = "NAME")]
    log_group: Vec<String>,
    /// From when: a time, or how long before now (90m, 2h, 7d)
    #[arg(long, value_name = "TIME", default_value = "1h")]
    since: String,
    /// Until when, in the same forms [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Rows at most; a `limit` in the query goes before it
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ROWS)))]
    limit: u32,
}

/// How asking ended.
enum Outcome {
    Answered(Box<InsightsAnswer>),
    Interrupted,
}

pub(super) fn run(args: &RunArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.state_machine.is_none() && args.log_group.is_empty() {
        let text = "which logs? name the state machine with --state-machine NAME, or the log group with --log-group NAME";
        return Err(WrongUsage(text.to_owned()).into());
    }
    let found = args.query.find()?;
    // Before anything is asked of anybody.
    let only = args.state_machine.as_deref().filter(|_| found.is_saved);
    let text = found.query.filled(&args.query.values, only).map_err(|error| wrong(&error))?;
    let window = window(args, Timestamp::now())?;
    if args.log_group.len() > MOST_GROUPS {
        return Err(WrongUsage(format!("{} log groups are too many; a query takes {MOST_GROUPS}", args.log_group.len())).into());
    }
    let asking = Asking { args, global, found: &found, text, window };
    match asking.ask(words)? {
        Outcome::Answered(answer) => tell(&answer, global, out, words),
        Outcome::Interrupted => {
            say(words, redactor(global), "interrupted; the query was stopped, and what it had scanned is charged");
            Ok(Exit::Interrupted)
        }
    }
}

fn window(args: &RunArgs, now: Timestamp) -> anyhow::Result<LogWindow> {
    let moment = |text: &str| -> anyhow::Result<Timestamp> {
        let moment = Moment::parse(text)?.resolve(Some(Micros::from(now)));
        Ok(moment.map_or(now, Micros::timestamp))
    };
    let since = moment(&args.since)?;
    let until = args.until.as_deref().map_or(Ok(now), moment)?;
    if until <= since {
        return Err(WrongUsage(format!(
            "nothing lies between --since {} and --until {}",
            args.since,
            args.until.as_deref().unwrap_or("now")
        ))
        .into());
    }
    Ok(LogWindow::new(since, until))
}

/// Everything that is known before the first call.
struct Asking<'a> {
    args: &'a RunArgs,
    global: &'a GlobalArgs,
    found: &'a Found,
    text: String,
    window: LogWindow,
}

impl Asking<'_> {
    fn ask(&self, words: &mut dyn Write) -> anyhow::Result<Outcome> {
        let settings = aws_settings::resolve(self.global, |name| std::env::var(name).ok())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the network runtime")?;
        runtime.block_on(async {
            let source = AwsSource::connect(&settings, self.region().as_deref()).await.context("failed to reach AWS")?;
            let target =
                group::find(&source, self.args.state_machine.as_deref(), &self.args.log_group, &aws_settings::flags_again(self.global))
                    .await
                    .map_err(|error| match error {
                        NoGroup::Usage(error) => error.into(),
                        error => anyhow::Error::from(error).context("failed to find the log group"),
                    })?;
            if let Some(text) = target.logging.as_ref().and_then(|logging| group::too_little(&self.found.query.level, logging)) {
                self.note(words, &text);
            }
            let results = self.results(&source, &target).await.with_context(|| format!("failed to ask {}", target.groups.join(", ")))?;
            Ok(match results {
                Some(results) => Outcome::Answered(Box::new(answer(self.asked(&target), &self.found.query.columns, &results))),
                None => Outcome::Interrupted,
            })
        })
    }

    /// The region that an ARN on the command line names.
    fn region(&self) -> Option<String> {
        let machine = self.args.state_machine.as_ref().and_then(|machine| machine.parse::<StateMachineArn>().ok());
        let of_group = || {
            let group = self.args.log_group.iter().find(|group| group.starts_with("arn:"))?;
            group.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
        };
        machine.map(|arn| arn.region().to_owned()).or_else(of_group)
    }

    async fn results(&self, source: &AwsSource, target: &Target) -> anyhow::Result<Option<QueryResults>> {
        let query = LogQuery { groups: &target.groups, window: self.window, text: &self.text, limit: self.args.limit };
        let bar = (!self.global.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message("asking Logs Insights");
            bar.enable_steady_tick(PACE);
            bar
        });
        let mut shown = |progress: QueryProgress| {
            if let Some(bar) = &bar {
                bar.set_message(words_of(&progress));
            }
        };
        let interrupted = async {
            // Without a handler the signal ends the program, as ever.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let results = source.run_query_until(&query, &mut shown, interrupted).await;
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        Ok(results?)
    }

    fn asked(&self, target: &Target) -> Asked {
        let question = &self.found.query.question;
        Asked {
            query: self.found.name.clone(),
            question: (!question.is_empty()).then(|| question.clone()),
            text: self.text.clone(),
            state_machine: target.machine.as_ref().map(|arn| arn.as_str().to_owned()).or_else(|| self.args.state_machine.clone()),
            log_groups: target.groups.clone(),
            since: self.window.from,
            until: self.window.until,
            limit: self.args.limit,
        }
    }

    fn note(&self, words: &mut dyn Write, text: &str) {
        if !self.global.quiet {
            say(words, redactor(self.global), text);
        }
    }
}

fn words_of(progress: &QueryProgress) -> String {
    if progress.is_waiting {
        return "waiting: the account runs as many queries as it may".to_owned();
    }
    let scanned = &progress.statistics;
    format!("asking Logs Insights: {} records scanned, {} matched", scanned.records_scanned, scanned.records_matched)
}

fn tell(answer: &InsightsAnswer, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = TextSettings::resolve(global);
    let is_empty = answer.rows.is_empty();
    match global.output {
        _ if global.is_csv() => render::queries::csv(answer, settings.redactor, out)?,
        OutputFormat::Json => render::queries::json(answer, settings.redactor, out)?,
        OutputFormat::Jsonl => render::queries::json_lines(answer, settings.redactor, out)?,
        OutputFormat::Text if is_empty => {}
        OutputFormat::Text => {
            // Whoever reads through a pipe wants all of it.
            let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
            let room = std::io::stdout().is_terminal().then(terminal).flatten();
            render::queries::table(answer, &settings.styles, settings.redactor, room, out)?;
        }
    }
    // The rows stand above what is said about them.
    out.flush()?;
    if !global.quiet {
        say(words, settings.redactor, &about(answer));
    }
    Ok(if is_empty { Exit::NothingMatched } else { Exit::Done })
}

/// What was asked, and what it took.
fn about(answer: &InsightsAnswer) -> String {
    let asked = &answer.asked;
    let groups = asked.log_groups.join(", ");
    let found = match answer.rows.len() {
        0 => "no rows".to_owned(),
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    };
    let more = if answer.is_full { ", as many as were wanted: with --limit there may be more" } else { "" };
    let second = |moment: Timestamp| moment.strftime("%F %T").to_string();
    let scanned = render::queries::scanned(&answer.scanned);
    format!("{found} in {groups} from {} to {} UTC{more}; {scanned}", second(asked.since), second(asked.until))
}
