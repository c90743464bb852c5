//! The answer, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

use super::change::{self, Change, Verdict, Windows};
use super::gather::{Group, LatencyQuestion, Machine, MachineTally, Sample, StateTally};
use super::picture::{self, Picture};
use super::{By, LatencyOptions, Sort, as_long_before, milliseconds, milliseconds_of, quantile, share};
use crate::analysis::changes::{VersionStart, slower_or_faster};
use crate::analysis::fleet::Coverage;
use crate::analysis::trace::TracesReport;
use crate::model::{Micros, StateType};

/// The schema of [`LatencyReport`].
pub const SCHEMA: &str = "stepscope.latency/1";

/// The schema of a [`StateRow`] by itself.
pub const ROW_SCHEMA: &str = "stepscope.latency.row/1";

/// How long states and machines take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencyReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// What it rests on.
    pub coverage: Coverage,
    /// What rows are of beside machine and state.
    pub by: Option<By>,
    /// What `change` compares; null with `--by` and where there is only one moment.
    pub compared: Option<Compared>,
    /// The machines whose executions took most of the time first; a machine's states in the order that was asked for.
    pub states: Vec<StateRow>,
    /// In the same order.
    pub machines: Vec<MachineRow>,
    /// How many states were left out by the limit.
    pub states_left_out: u64,
    /// What traces tell of the inside of tasks; null where none were asked for.
    pub traces: Option<TracesReport>,
    /// What a plot shows, where one was asked for.
    #[serde(skip)]
    pub picture: Option<Picture>,
}

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// Executions that started in the window that was asked for, and in as long a time before it.
    WindowBefore,
    /// What began in the later half of the time, and in the earlier.
    Halves,
}

/// A state, or a state in an hour or version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateRow {
    /// ARN without version and alias; null for bare histories.
    pub state_machine: Option<String>,
    /// Its name; empty for visits whose name the history does not tell.
    pub state: String,
    /// `Task`, `Map`, …
    pub state_type: Option<&'static str>,
    /// With `--by hour`: when the hour began in which the visits were entered.
    pub hour: Option<Micros>,
    /// With `--by version`: the version; null for executions that were started without.
    pub version: Option<String>,
    /// How often it was entered.
    pub visits: u64,
    /// Of them, how many were not exited: failed, aborted, open.
    pub unfinished: u64,
    /// Of those, how many failed for good.
    pub failed: u64,
    /// Of those, how many were ended by a failure beside them, a stop or a time limit.
    pub aborted: u64,
    /// Of those, how many were open when the history ends.
    pub open: u64,
    /// Visits that were exited without the history telling when they were entered or exited.
    pub untimed: u64,
    /// Attempts that failed or ran out of time.
    pub failed_attempts: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Median of the visits that were exited; null for none.
    pub p50_ms: Option<f64>,
    /// 90 % are faster.
    pub p90_ms: Option<f64>,
    /// 95 % are faster.
    pub p95_ms: Option<f64>,
    /// 99 % are faster.
    pub p99_ms: Option<f64>,
    /// The slowest.
    pub max_ms: Option<f64>,
    /// Mean.
    pub mean_ms: Option<f64>,
    /// All of them together.
    pub total_ms: f64,
    /// From scheduled to started.
    pub queue: Option<Part>,
    /// The attempts themselves; of a Parallel or Map, its branches or iterations.
    pub run: Option<Part>,
    /// From a failure to the retry.
    pub retry_wait: Option<Part>,
    /// How long somebody else had it.
    pub callback: Option<Part>,
    /// What is left of `total_ms`.
    pub rest_ms: f64,
    /// How long iterations that begin with this state waited for their turn; before the visits, and no part of them.
    pub map_queue: Option<Part>,
    /// Time on the critical path of executions, in this state and nothing that it encloses; all visits.
    pub critical_ms: f64,
    /// Share of what the machine's executions lasted, from 0 to 1; null with `--by hour`.
    pub critical_share: Option<f64>,
    /// The time compared with the one before; null with `--by`, and where there is no time to compare.
    pub change: Option<Change>,
}

/// On what time was spent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// How many visits had it.
    pub visits: u64,
    /// Median of those.
    pub p50_ms: Option<f64>,
    /// 95 % of those are faster.
    pub p95_ms: Option<f64>,
    /// All together.
    pub total_ms: f64,
    /// Share of the row's `total_ms`, from 0 to 1; null where that is 0, and for the Map queue.
    pub share: Option<f64>,
}

/// The executions of a machine, or those of an hour or version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineRow {
    /// ARN without version and alias; null for bare histories.
    pub state_machine: Option<String>,
    /// With `--by hour`: when the hour began in which the executions started.
    pub hour: Option<Micros>,
    /// With `--by version`: the version; null for executions that were started without.
    pub version: Option<String>,
    /// How many.
    pub executions: u64,
    /// Of them, how many had not ended.
    pub unfinished: u64,
    /// Of them, how many ended without success.
    pub unsuccessful: u64,
    /// Median of the executions that ended; null for none.
    pub p50_ms: Option<f64>,
    /// 90 % are faster.
    pub p90_ms: Option<f64>,
    /// 95 % are faster.
    pub p95_ms: Option<f64>,
    /// 99 % are faster.
    pub p99_ms: Option<f64>,
    /// The slowest.
    pub max_ms: Option<f64>,
    /// Mean.
    pub mean_ms: Option<f64>,
    /// All of them together.
    pub total_ms: f64,
    /// What all executions lasted, the unfinished ones up to their last event: the whole that `critical_share` is of.
    pub lasted_ms: f64,
    /// The time compared with the one before.
    pub change: Option<Change>,
}

/// The figures of durations.
struct Figures {
    quantiles: [Option<f64>; 4],
    max: Option<f64>,
    mean: Option<f64>,
    total: i128,
}

impl LatencyQuestion {
    /// The report of what was seen.
    pub fn report(mut self, coverage: Coverage) -> LatencyReport {
        self.sort();
        let windows = self.windows(&coverage);
        let mut machines: Vec<(&Option<String>, &Machine)> =
            self.machines.iter().filter(|(_, machine)| machine.tallies.values().any(|tally| tally.executions > 0)).collect();
        let lasted = |machine: &Machine| machine.tallies.values().map(|tally| tally.lasted).sum::<i128>();
        machines.sort_by(|(one_name, one), (other_name, other)| lasted(other).cmp(&lasted(one)).then_with(|| one_name.cmp(other_name)));
        let mut of_states: Vec<Vec<StateRow>> =
            machines.iter().map(|(name, machine)| state_rows(name.as_ref(), machine, windows)).collect();
        // Who asks for some states has no use for machines that have none of them.
        let is_asked = |rows: &Vec<StateRow>| self.options.states.is_empty() || !rows.is_empty();
        let asked = machines.iter().zip(&of_states).filter(|(_, states)| is_asked(states));
        let mut rows: Vec<MachineRow> = asked.flat_map(|((name, machine), _)| machine_rows(name.as_ref(), machine, windows)).collect();
        // What is claimed does not depend on how much of it is shown.
        let changes = of_states.iter_mut().flatten().map(|row| &mut row.change).chain(rows.iter_mut().map(|row| &mut row.change));
        change::settle(changes.flatten());
        tell_since(&self.machines, of_states.iter_mut().flatten(), &mut rows);
        let left_out = of_states.iter_mut().map(|rows| order(rows, &self.options)).sum();
        let states: Vec<StateRow> = of_states.into_iter().flatten().collect();
        let picture = if self.options.picture { picture::of(&machines, &states) } else { None };
        let compared = windows.map(|windows| if windows.are_halves { Compared::Halves } else { Compared::WindowBefore });
        LatencyReport {
            schema: SCHEMA,
            coverage,
            by: self.options.by,
            compared,
            states,
            machines: rows,
            states_left_out: left_out,
            traces: None,
            picture,
        }
    }

    /// The times that are compared: the window that was asked for with the one before it, else the later half of the time with the
    /// earlier.
    fn windows(&self, coverage: &Coverage) -> Option<Windows> {
        if self.options.by.is_some() {
            return None;
        }
        if let Some(since) = self.options.since {
            let until = self.options.until.or(coverage.last_event)?;
            if until <= since {
                return None;
            }
            return Some(Windows { before: (as_long_before(since, until), since), after: (since, until), are_halves: false });
        }
        let range = |machine: &Machine| -> Option<(i64, i64)> {
            let of_states = machine.states.values().flat_map(|tallies| tallies.values()).flat_map(|tally| &tally.samples);
            let all = machine.tallies.values().flat_map(|tally| &tally.samples).chain(of_states).map(|sample| sample.at);
            all.fold(None, |range, at| Some(range.map_or((at, at), |(first, last): (i64, i64)| (first.min(at), last.max(at)))))
        };
        let ranges = self.machines.values().filter_map(range);
        let (first, last) = ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
        let middle = Micros(first + last.saturating_sub(first) / 2);
        let halves = Windows { before: (Micros(first), middle), after: (middle, Micros(last)), are_halves: true };
        (first < last).then_some(halves)
    }
}

fn state_rows(name: Option<&String>, machine: &Machine, windows: Option<Windows>) -> Vec<StateRow> {
    let mut rows = Vec::new();
    for (state, tallies) in &machine.states {
        for (group, tally) in tallies.iter().filter(|(_, tally)| tally.visits > 0) {
            let lasted = match group {
                Group::Hour(_) => 0,
                _ => machine.tallies.get(group).map_or(0, |tally| tally.lasted),
            };
            rows.push(state_row(name, state, group, tally, lasted, windows));
        }
    }
    rows
}

fn state_row(machine: Option<&String>, state: &str, group: &Group, tally: &StateTally, lasted: i128, windows: Option<Windows>) -> StateRow {
    let figures = Figures::of(&tally.samples);
    let parts = &tally.parts;
    let of_visits = [parts.queue(), parts.run(), parts.retry_wait(), parts.callback()];
    let parts_total: i128 = of_visits.iter().flat_map(|values| values.iter()).map(|value| i128::from(*value)).sum();
    let [queue, run, retry_wait, callback] = of_visits.map(|values| part(values, Some(figures.total)));
    let [p50_ms, p90_ms, p95_ms, p99_ms] = figures.quantiles;
    StateRow {
        state_machine: machine.cloned(),
        state: state.to_owned(),
        state_type: tally.state_type.map(StateType::name),
        hour: hour_of(group),
        version: version_of(group),
        visits: tally.visits,
        unfinished: tally.failed + tally.aborted + tally.open,
        failed: tally.failed,
        aborted: tally.aborted,
        open: tally.open,
        untimed: tally.untimed,
        failed_attempts: tally.failed_attempts,
        retries: tally.retries,
        p50_ms,
        p90_ms,
        p95_ms,
        p99_ms,
        max_ms: figures.max,
        mean_ms: figures.mean,
        total_ms: milliseconds(figures.total),
        queue,
        run,
        retry_wait,
        callback,
        rest_ms: milliseconds(figures.total - parts_total),
        map_queue: part(parts.map_queue(), None),
        critical_ms: milliseconds(tally.critical),
        critical_share: share(tally.critical, lasted),
        change: windows.map(|windows| changed(&tally.samples, &tally.before, windows)),
    }
}

fn machine_rows(name: Option<&String>, machine: &Machine, windows: Option<Windows>) -> Vec<MachineRow> {
    let mut groups: Vec<(&Group, &MachineTally)> = machine.tallies.iter().filter(|(_, tally)| tally.executions > 0).collect();
    groups.sort_by(|(one, _), (other, _)| compare_groups(one, other));
    let row = |(group, tally): (&Group, &MachineTally)| {
        let figures = Figures::of(&tally.samples);
        let [p50_ms, p90_ms, p95_ms, p99_ms] = figures.quantiles;
        MachineRow {
            state_machine: name.cloned(),
            hour: hour_of(group),
            version: version_of(group),
            executions: tally.executions,
            unfinished: tally.running,
            unsuccessful: tally.unsuccessful,
            p50_ms,
            p90_ms,
            p95_ms,
            p99_ms,
            max_ms: figures.max,
            mean_ms: figures.mean,
            total_ms: milliseconds(figures.total),
            lasted_ms: milliseconds(tally.lasted),
            change: windows.map(|windows| changed(&tally.samples, &tally.before, windows)),
        }
    };
    groups.into_iter().map(row).collect()
}

impl Figures {
    /// Of samples sorted by their durations.
    fn of(samples: &[Sample]) -> Self {
        let sorted: Vec<i64> = samples.iter().map(|sample| sample.duration).collect();
        let total: i128 = sorted.iter().map(|duration| i128::from(*duration)).sum();
        #[allow(clippy::cast_precision_loss, reason = "a mean to the microsecond")]
        let mean = |count: usize| milliseconds_of(total as f64 / count as f64);
        Self {
            quantiles: [0.5, 0.9, 0.95, 0.99].map(|p| quantile(&sorted, p)),
            max: quantile(&sorted, 1.0),
            mean: (!sorted.is_empty()).then(|| mean(sorted.len())),
            total,
        }
    }
}

fn part(sorted: &[i64], whole: Option<i128>) -> Option<Part> {
    let total: i128 = sorted.iter().map(|value| i128::from(*value)).sum();
    (!sorted.is_empty()).then(|| Part {
        visits: sorted.len() as u64,
        p50_ms: quantile(sorted, 0.5),
        p95_ms: quantile(sorted, 0.95),
        total_ms: milliseconds(total),
        share: whole.and_then(|whole| share(total, whole)),
    })
}

/// Tells since when, where something is claimed to have changed: nowhere else is it asked, because that takes time.
fn tell_since<'r>(
    machines: &std::collections::HashMap<Option<String>, Machine>,
    states: impl Iterator<Item = &'r mut StateRow>,
    rows: &'r mut [MachineRow],
) {
    let of_states = states.map(|row| (row.state_machine.clone(), Some(row.state.clone()), &mut row.change));
    let of_machines = rows.iter_mut().map(|row| (row.state_machine.clone(), None, &mut row.change));
    let moved = |change: &Change| matches!(change.verdict, Verdict::Slower | Verdict::Faster);
    let asked: Vec<(Option<String>, Option<String>, &mut Change)> = of_states
        .chain(of_machines)
        .filter_map(|(machine, state, change)| Some((machine, state, change.as_mut().filter(|change| moved(change))?)))
        .collect();
    let tests = asked.len();
    for (name, state, change) in asked {
        let Some(machine) = machines.get(&name) else { continue };
        let tally = machine.tallies.get(&Group::All);
        let samples = match &state {
            Some(state) => {
                machine.states.get(state).and_then(|tallies| tallies.get(&Group::All)).map(|tally| (&tally.samples, &tally.before))
            }
            None => tally.map(|tally| (&tally.samples, &tally.before)),
        };
        let Some((samples, before)) = samples else { continue };
        let durations = samples.iter().chain(before).map(|sample| (Micros(sample.at), milliseconds(i128::from(sample.duration)))).collect();
        let versions = tally.into_iter().flat_map(|tally| &tally.versions);
        let versions: Vec<VersionStart> = versions
            .map(|(version, (first, executions))| VersionStart { version: version.clone(), first: *first, executions: *executions })
            .collect();
        change.since = slower_or_faster(durations, tests, &versions);
    }
}

/// The samples of a window against those of the one before, or those of the later half against the earlier.
fn changed(samples: &[Sample], before: &[Sample], windows: Windows) -> Change {
    let (from, middle) = windows.before;
    let durations = |samples: &[Sample], wanted: &dyn Fn(i64) -> bool| -> Vec<i64> {
        samples.iter().filter(|sample| wanted(sample.at)).map(|sample| sample.duration).collect()
    };
    let (earlier, later) = if windows.are_halves {
        (durations(samples, &|at| at < middle.0), durations(samples, &|at| at >= middle.0))
    } else {
        (durations(before, &|at| at >= from.0 && at < middle.0), durations(samples, &|_| true))
    };
    change::compare(&earlier, &later, windows)
}

fn hour_of(group: &Group) -> Option<Micros> {
    if let Group::Hour(hour) = group { *hour } else { None }
}

fn version_of(group: &Group) -> Option<String> {
    if let Group::Version(version) = group { version.clone() } else { None }
}

/// By time; versions by their number, what is none after them.
fn compare_groups(one: &Group, other: &Group) -> std::cmp::Ordering {
    let number = |group: &Group| version_of(group).and_then(|version| version.parse::<u64>().ok()).unwrap_or(u64::MAX);
    number(one).cmp(&number(other)).then_with(|| one.cmp(other))
}

/// Sorts the rows of a machine and leaves out states beyond the limit; returns how many.
fn order(rows: &mut Vec<StateRow>, options: &LatencyOptions) -> u64 {
    let figure = |row: &StateRow| match options.sort {
        Sort::P50 => row.p50_ms,
        Sort::P90 => row.p90_ms,
        Sort::P95 => row.p95_ms,
        Sort::P99 => row.p99_ms,
        Sort::Max => row.max_ms,
        Sort::Total => Some(row.total_ms),
        Sort::Critical => Some(row.critical_ms),
        #[allow(clippy::cast_precision_loss, reason = "an order of counts")]
        Sort::Visits => Some(row.visits as f64),
        #[allow(clippy::cast_precision_loss, reason = "an order of counts")]
        Sort::Retries => Some(row.retries as f64),
        Sort::Name => Some(0.0),
    };
    // The rows of a state stay together; the largest says where.
    let mut largest: std::collections::HashMap<String, f64> = std::collections::HashMap::new();
    for row in rows.iter() {
        let value = figure(row).unwrap_or(-1.0);
        largest.entry(row.state.clone()).and_modify(|known| *known = known.max(value)).or_insert(value);
    }
    let place = |row: &StateRow| largest.get(&row.state).copied().unwrap_or_default();
    let group = |row: &StateRow| match options.by {
        Some(By::Version) => Group::Version(row.version.clone()),
        _ => Group::Hour(row.hour),
    };
    rows.sort_by(|one, other| {
        let by_figure = place(other).total_cmp(&place(one));
        by_figure.then_with(|| one.state.cmp(&other.state)).then_with(|| compare_groups(&group(one), &group(other)))
    });
    let Some(limit) = options.limit else { return 0 };
    let mut states: Vec<&str> = rows.iter().map(|row| row.state.as_str()).collect();
    states.dedup();
    let left_out = states.len().saturating_sub(limit) as u64;
    let kept: std::collections::HashSet<String> = states.into_iter().take(limit).map(str::to_owned).collect();
    rows.retain(|row| kept.contains(&row.state));
    left_out
}
