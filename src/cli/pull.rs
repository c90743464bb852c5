//! `pull`: executions from AWS into the store, within the quotas of the account.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;

use super::aws_settings::{self, flags_again};
use super::exit_code::{Exit, WrongUsage};
use super::fleet::Moment;
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, redactor, say, say_what_to_ask};
use super::settings::store_folder;
use crate::analysis::pull::{PlaceOutcome, PullReport};
use crate::analysis::pull_logs::Via;
use crate::model::{ExecutionStatus, Micros, StateMachineArn, Timestamp};
use crate::pull::{Progress, Pull, Sample, Wanted, WantedLogs, pull};
use crate::render;
use crate::render::escape;
use crate::sources::aws::pace::{Budget, QuotaOf, Share};
use crate::sources::aws::{AwsSettings, Pace};
use crate::store::Store;

/// Whoever pulls has more time than whoever waits for one answer.
const HISTORY: Duration = Duration::from_hours(1);
/// How often the bar is drawn.
const PACE: Duration = Duration::from_millis(200);
/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Fetch executions from AWS into the store, within the account's quotas
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope pull
  stepscope pull --state-machine Orders --since 7d
  stepscope pull --state-machine 'prod-*' --status failed,timed-out
  stepscope pull --since 30d --sample 5% --budget 25%
  stepscope pull --map-runs --state-machine Imports --since 2h
  stepscope pull --logs --state-machine Checkout --since 2h
  stepscope pull --profile prod --profile staging --region eu-west-1

Failures come first, then what runs, then what succeeded; the newest first.
What the store has is not fetched again. Stop it, kill it, start it again: the
same command goes on where it was. It ends with what was not looked at, and why.
Of logs everything that began in the window is read: --status, --sample and
--limit leave out histories only.")]
pub struct PullArgs {
    /// Only this state machine: a name, an ARN, or a pattern with `*` and `?`; may be given several times
    #[arg(long, value_name = "NAME")]
    state_machine: Vec<String>,
    /// Only state machines with this tag; may be given several times, and all must be there
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    tag: Vec<(String, String)>,
    /// Only executions with one of these statuses; of histories, not of logs
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATUS,…")]
    status: Vec<Status>,
    /// Only executions that started at this time or later: a time, or how long before now: 90m, 24h, 90d, which is all the service keeps
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: String,
    /// Only executions that started before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of those that succeeded only so many, the same ones every time; of histories, not of logs
    #[arg(long, value_name = "PERCENT", value_parser = sample)]
    sample: Option<Sample>,
    /// The children of Distributed Maps as well: of each execution whose history names Map Runs
    #[arg(long)]
    map_runs: bool,
    /// At most so many executions of each account and region; of histories, not of logs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// How much of the account's quotas may be spent
    #[arg(long, value_name = "SHARE", default_value = "50%")]
    budget: Share,
    /// The quota of an action where it is not AWS's default: refill a second and bucket, such as GetExecutionHistory=40/800
    #[arg(long, value_name = "ACTION=REFILL/BUCKET")]
    quota: Vec<QuotaOf>,
    /// Begin anew instead of taking up a pull that was interrupted
    #[arg(long)]
    no_resume: bool,
    /// Read executions from CloudWatch Logs: those of Express machines, or with =all those of Standard ones as well
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "express")]
    logs: Option<LogsOf>,
    /// How logs are read: page by page, or by queries, which are charged by what they scan
    #[arg(long, value_enum, value_name = "HOW", default_value = "filter", requires = "logs")]
    via: ViaWord,
    /// Profile of the AWS configuration; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Global options")]
    profile: Vec<String>,
    /// AWS region; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Global options")]
    region: Vec<String>,
}

/// A status, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    Failed,
    TimedOut,
    Aborted,
    Running,
    PendingRedrive,
    Succeeded,
}

/// Whose logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogsOf {
    /// Express machines, whose executions leave nothing else
    Express,
    /// Standard machines as well
    All,
}

/// How logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ViaWord {
    /// `FilterLogEvents`, without charge
    Filter,
    /// Logs Insights: for large groups, and for those of the Infrequent Access class
    Insights,
}

impl From<Status> for ExecutionStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Failed => Self::Failed,
            Status::TimedOut => Self::TimedOut,
            Status::Aborted => Self::Aborted,
            Status::Running => Self::Running,
            Status::PendingRedrive => Self::PendingRedrive,
            Status::Succeeded => Self::Succeeded,
        }
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a tag is KEY=VALUE, such as team=payments".to_owned()),
    }
}

fn sample(text: &str) -> Result<Sample, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>().ok();
    percent.and_then(Sample::percent).ok_or_else(|| "a sample is a percentage above 0% and up to 100%, such as 5%".to_owned())
}

/// Pulls, and says what came of it.
pub fn run(args: &PullArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let wanted = wanted(args, now)?;
    let pace = Pace::new(args.quota.iter().fold(Budget::new(args.budget), |budget, quota| budget.with_quota(*quota)));
    let places = places(args, global, &pace)?;
    let folder = store_folder(global)?;
    let failed = || format!("failed to write the store {}", folder.display());
    let store = Store::create_or_open(&folder).with_context(failed)?;
    let progress = Progress::default();
    let stop = stopped_by_signals().context("failed to listen for Ctrl-C")?;
    let logs = args
        .logs
        .map(|of| WantedLogs { via: if args.via == ViaWord::Insights { Via::Insights } else { Via::Filter }, of_all: of == LogsOf::All });
    let pulled = Pull { store: &store, wanted: &wanted, logs, pace: &pace, now, progress: &progress, stop };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start")?;
    let report = shown(&pulled, global, || runtime.block_on(pull(&pulled, &places))).with_context(failed)?;
    write(&report, global, out)?;
    let counts = &report.executions;
    if global.output == OutputFormat::Text && counts.new + counts.replaced + counts.unchanged + counts.already_stored > 0 {
        say_what_to_ask(global, out)?;
    }
    Ok(ending(&report, args, global, words))
}

fn wanted(args: &PullArgs, now: Timestamp) -> anyhow::Result<Wanted> {
    let now = Micros::from(now);
    let moment = |text: &str| anyhow::Ok(Moment::parse(text)?.resolve(Some(now)).unwrap_or(now));
    let since = moment(&args.since)?;
    let until = args.until.as_deref().map_or(Ok(now), moment)?;
    if since >= until {
        let text = format!("nothing lies between --since {} and --until {}", args.since, args.until.as_deref().unwrap_or("now"));
        return Err(WrongUsage(text).into());
    }
    for name in args.state_machine.iter().filter(|name| name.starts_with("arn:") && !name.contains(['*', '?'])) {
        name.parse::<StateMachineArn>().map_err(|error| WrongUsage(error.to_string()))?;
    }
    Ok(Wanted {
        machines: args.state_machine.clone(),
        tags: args.tag.clone(),
        statuses: args.status.iter().map(|status| ExecutionStatus::from(*status)).collect(),
        since,
        until,
        sample: args.sample,
        map_runs: args.map_runs,
        limit: args.limit,
        window_words: format!("{} {}", args.since, args.until.as_deref().unwrap_or_default()),
        resumes: !args.no_resume,
    })
}

/// Each profile in each region. Where no region is given, those of the ARNs are meant, if there are only ARNs.
fn places(args: &PullArgs, global: &GlobalArgs, pace: &Pace) -> Result<Vec<AwsSettings>, WrongUsage> {
    let mut settings = aws_settings::resolve(global, |name| std::env::var(name).ok())?;
    settings.pace = Some(pace.clone());
    settings.patience.history = settings.patience.history.max(HISTORY);
    let profiles = options(&args.profile);
    let mut regions = options(&args.region);
    let arns: Vec<StateMachineArn> = args.state_machine.iter().filter_map(|name| name.parse().ok()).collect();
    if args.region.is_empty() && !arns.is_empty() && arns.len() == args.state_machine.len() {
        regions = arns.iter().map(|arn| Some(arn.region().to_owned())).filter(|region| region.as_deref() != Some("")).collect();
        regions.sort();
        regions.dedup();
    }
    let place = |(profile, region): (&Option<String>, &Option<String>)| AwsSettings {
        profile: profile.clone(),
        region: region.clone(),
        ..settings.clone()
    };
    Ok(profiles.iter().flat_map(|profile| regions.iter().map(move |region| (profile, region))).map(place).collect())
}

/// Each once, or nothing once.
fn options(given: &[String]) -> Vec<Option<String>> {
    let mut options: Vec<Option<String>> = Vec::new();
    for name in given {
        if !options.contains(&Some(name.clone())) {
            options.push(Some(name.clone()));
        }
    }
    if options.is_empty() { vec![None] } else { options }
}

/// Turns true with the first Ctrl-C (or the signal to end); the second one ends the program at once, which loses nothing but what is in flight.
fn stopped_by_signals() -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            if signalled().await.is_ok() {
                let _ = sender.send(true);
                if signalled().await.is_ok() {
                    std::process::exit(Exit::Interrupted.code().into());
                }
            }
            // Who listens would take a sender that is gone for a signal.
            std::future::pending::<()>().await;
        });
    })?;
    Ok(receiver)
}

#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = end.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Does the work; meanwhile a terminal on stderr shows how far it is, unless it was asked to be quiet.
fn shown<T>(pull: &Pull<'_>, global: &GlobalArgs, work: impl FnOnce() -> T) -> T {
    if global.quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let is_done = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let (progress, pace, watched) = (pull.progress, pull.pace, Arc::clone(&is_done));
        let watcher = scope.spawn(move || watch_progress(progress, pace, &watched));
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}

fn watch_progress(progress: &Progress, pace: &Pace, is_done: &AtomicBool) {
    let began = Instant::now();
    thread::park_timeout(PATIENCE);
    if is_done.load(Ordering::Relaxed) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    while !is_done.load(Ordering::Relaxed) {
        bar.set_message(progress_line(progress, pace, began.elapsed()));
        bar.tick();
        thread::park_timeout(PACE);
    }
    bar.finish_and_clear();
}

/// `1,204 of 3,100 executions · 10.1/s · 3m 07s left · 1,310 calls, 2 throttled · Orders run-7`.
fn progress_line(progress: &Progress, pace: &Pace, elapsed: Duration) -> String {
    let (wanted, done) = (progress.wanted.load(Ordering::Relaxed), progress.done.load(Ordering::Relaxed));
    let spent = pace.spent();
    let calls: u64 = spent.iter().map(|spent| spent.calls).sum();
    let throttled: u64 = spent.iter().map(|spent| spent.throttled).sum();
    let line = render::pull::Standing { wanted, done, calls, throttled, elapsed };
    let in_hand = progress.in_hand();
    let after = if in_hand.is_empty() { String::new() } else { format!(" · {}", escape::line(&in_hand)) };
    format!("{line}{after}")
}

fn write(report: &PullReport, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    match global.output {
        OutputFormat::Text => {
            let settings = TextSettings::resolve(global);
            Ok(render::pull::text(report, &settings.styles, &settings.redactor, settings.width, out)?)
        }
        format => document(report, format, redactor(global), out),
    }
}

/// The exit code; what a reader of the report alone would miss is said.
fn ending(report: &PullReport, args: &PullArgs, global: &GlobalArgs, words: &mut dyn Write) -> Exit {
    if report.is_interrupted {
        say(words, redactor(global), "interrupted; what was fetched is kept, and the same command goes on where it was");
        return Exit::Interrupted;
    }
    for problem in &report.damaged {
        say(words, redactor(global), &format!("{problem}; its executions count as not stored"));
    }
    let is_missing = report.not_looked_at.iter().any(|missing| !missing.what.is_expected());
    if is_missing || !report.damaged.is_empty() {
        return Exit::Failed;
    }
    let has_machines = report.places.iter().any(|place| !place.machines.is_empty());
    // What an earlier pull read of logs is found as well, and not looked at again.
    let was_read_before = report.places.iter().flat_map(|place| &place.logs).any(|logs| logs.read_before);
    if report.executions.listed > 0 || was_read_before {
        return Exit::Done;
    }
    if !has_machines && report.places.iter().all(|place| place.outcome == PlaceOutcome::Done) {
        let what = match (args.state_machine.as_slice(), args.tag.as_slice()) {
            ([], []) => "no state machine there".to_owned(),
            ([], _) => "no state machine has these tags".to_owned(),
            (names, []) => format!("no state machine matches {}", names.join(", ")),
            (names, _) => format!("no state machine matches {} and has these tags", names.join(", ")),
        };
        let region =
            report.places.first().and_then(|place| place.region.as_ref()).map_or_else(String::new, |region| format!(" --region {region}"));
        say(words, redactor(global), &format!("{what}; see `aws stepfunctions list-state-machines{region}{}`", flags_again(global)));
    } else if !global.quiet {
        say(words, redactor(global), "no execution started in that time; --since 7d looks further back");
    }
    Exit::NothingMatched
}
