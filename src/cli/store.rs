//! `store`: what is in the store, whether it is whole, fewer files, fewer days.

use std::io::Write;

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, redactor, say};
use super::settings::store_folder;
use crate::model::Timestamp;
use crate::render;
use crate::store::Store;

/// What is in the store, whether it is whole; fewer files, fewer days
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope store info
  stepscope store info --output json | jq '.machines[].state_machine'
  stepscope store verify
  stepscope store compact
  stepscope store prune --older-than 90d --dry-run
  stepscope store prune --older-than 2026-01-01

All of them may run while others read and write the store.")]
pub struct StoreArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// What is there: tables, days, state machines
    Info,
    /// Read every file to its end and name those that are damaged
    Verify {
        /// Move damaged batches to `.damaged`, so that their executions can be ingested again
        #[arg(long)]
        set_aside: bool,
    },
    /// Put the small batches of each day together
    Compact,
    /// Remove the oldest days
    Prune {
        /// Days before this one: a date, or how many days (90d) or weeks (12w) before today, UTC
        #[arg(long, value_name = "90d|DATE")]
        older_than: String,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Also remove executions that still ran when they were read
        #[arg(long)]
        open: bool,
    },
}

/// Does what was asked for, and says what came of it.
pub fn run(args: &StoreArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let folder = store_folder(global)?;
    let store = Store::open(&folder).context("failed to open the store")?;
    let now = Timestamp::now();
    let answer = Answer { global, settings: TextSettings::resolve(global) };
    let mut problems = Vec::new();
    match &args.action {
        Action::Info => {
            let report = store.info().context("failed to read the store")?;
            answer.write(&report, out, |settings, out| {
                render::store::info(&report, &settings.styles, settings.redactor, settings.width, out)
            })?;
            problems = report.damaged;
        }
        Action::Verify { set_aside } => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            let report = store.verify(threads, *set_aside).context("failed to read the store")?;
            answer.write(&report, out, |settings, out| render::store::verify(&report, &settings.styles, settings.redactor, out))?;
            return Ok(if report.damaged > 0 { Exit::Failed } else { Exit::Done });
        }
        Action::Compact => {
            let report = store.compact(now).context("failed to write the store")?;
            answer.write(&report, out, |settings, out| render::store::compact(&report, settings.redactor, out))?;
            problems = report.damaged;
        }
        Action::Prune { older_than, dry_run, open } => {
            let before = first_kept(older_than, now)?;
            let report = store.prune(before, *open, *dry_run).context("failed to write the store")?;
            answer.write(&report, out, |settings, out| render::store::prune(&report, settings.redactor, out))?;
        }
    }
    for problem in &problems {
        say(words, redactor(global), problem);
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Failed })
}

/// How answers are written.
struct Answer<'g> {
    global: &'g GlobalArgs,
    settings: TextSettings,
}

impl Answer<'_> {
    fn write(
        &self,
        report: &impl Serialize,
        out: &mut dyn Write,
        text: impl FnOnce(&TextSettings, &mut dyn Write) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        match self.global.output {
            OutputFormat::Text => Ok(text(&self.settings, out)?),
            format => document(report, format, self.settings.redactor, out),
        }
    }
}

/// The first day that stays.
fn first_kept(text: &str, now: Timestamp) -> anyhow::Result<Date> {
    let wrong = || WrongUsage(format!("`{text}` is neither a date such as 2026-01-01 nor a number of days or weeks such as 90d, 12w"));
    if let Ok(date) = text.parse::<Date>() {
        return Ok(date);
    }
    let (number, days_each) =
        text.strip_suffix('d').map(|number| (number, 1)).or_else(|| Some((text.strip_suffix('w')?, 7))).ok_or_else(wrong)?;
    let number: i64 = number.parse().ok().filter(|number| (0..=100_000).contains(number)).ok_or_else(wrong)?;
    let today = now.to_zoned(TimeZone::UTC).date();
    Ok(today.checked_sub((number * days_each).days()).map_err(|_| wrong())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_that_stays_is_a_date_or_a_distance() {
        let now: Timestamp = "2026-11-21T01:00:00Z".parse().expect("a moment");
        let kept = |text: &str| first_kept(text, now).ok().map(|date| date.to_string());
        assert_eq!(kept("90d").as_deref(), Some("2026-08-23"));
        assert_eq!(kept("2w").as_deref(), Some("2026-11-07"));
        assert_eq!(kept("0d").as_deref(), Some("2026-11-21"));
        assert_eq!(kept("2026-01-31").as_deref(), Some("2026-01-31"));
        for wrong in ["", "d", "-1d", "90", "yesterday", "99999999999d", "1000000d", "é"] {
            assert_eq!(kept(wrong), None, "{wrong}");
        }
    }
}
