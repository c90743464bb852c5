//! The scene of a storm for the simulation, and the curves of what was seen and simulated.

use super::Case;
use super::chains::Chain;
use super::outage;
use super::policy::{Main, tidy};
use super::report::{Curve, Load, Outage};
use super::simulation::{Call, Failing, Outcome, SEED, Scene, peak, simulate};
use crate::analysis::observed::{Attempt, Name};
use crate::analysis::retry_policy::{Policy, Retrier};
use crate::model::Micros;

/// How often a policy is simulated for the numbers that are told.
const RUNS: u32 = 200;
/// Fewer runs are made of storms so large that this many simulated retries would not do; their peaks vary little.
const BUDGET: usize = 2_000_000;
/// Candidates are simulated this often: enough to tell a peak from half of it.
const CANDIDATE_RUNS: u32 = 20;
/// Less than this is not added to a wait by the service: what is longer belongs to another policy. Seconds.
const LARGEST_OVERHEAD: f64 = 1.0;
/// Widths of a curve's bins in seconds; the first with which a curve has no more than [`MOST_BINS`].
const BINS: [u64; 12] = [1, 2, 5, 10, 15, 30, 60, 300, 900, 3_600, 21_600, 86_400];
/// As many as a wide plot has places for.
const MOST_BINS: f64 = 600.0;

/// A storm set up to be simulated.
pub(super) struct Stage {
    base: Scene,
    outage: Outage,
    from: Micros,
    /// The policy that was in force.
    in_force: Vec<Retrier>,
    scene: Scene,
    /// The load under it.
    pub before: Outcome,
    runs: u32,
    /// How often to simulate a candidate.
    pub few_runs: u32,
    observed: Vec<f64>,
    given_up: usize,
}

impl Stage {
    /// `policy` is where `in_force` comes from; without one every error goes to its only retrier.
    pub(super) fn new(case: &Case<'_>, main: &Main, policy: Option<&Policy>, in_force: Vec<Retrier>) -> Self {
        let (seen, observed) = (case.seen, case.observed);
        let all_calls = outage::calls(seen, observed);
        let outage = outage::outage(seen, &all_calls);
        let from = seen.from;
        let since = |moment: Micros| moment.milliseconds_since(from) / 1000.0;
        let attempts = seen.retries.iter().map(|retry| seen.attempt(observed, retry));
        let failing_takes = attempts
            .filter(|attempt| attempt.has_failed())
            .filter_map(Attempt::duration_ms)
            .map(|milliseconds| (milliseconds / 1000.0).max(0.0))
            .collect();
        let last = since(seen.to).max(outage.until.map_or(0.0, since));
        let base = Scene {
            calls: Vec::new(),
            failing: Failing::new(all_calls.iter().map(|(moment, failed)| (since(*moment), *failed))),
            failing_takes,
            overheads: overheads(main, policy.and(main.retrier).unwrap_or(0), &in_force),
            // Of an outage whose end was not seen, no more is simulated than twice what was seen.
            horizon: if outage.until.is_some() { f64::INFINITY } else { last * 2.0 + 60.0 },
        };
        let scene = Scene { calls: calls(case, policy, from), ..base.clone() };
        let work = seen.retries.len().max(case.chains.len()).max(1);
        let runs = u32::try_from(BUDGET / work).unwrap_or(RUNS).clamp(CANDIDATE_RUNS, RUNS);
        let few_runs = u32::try_from(BUDGET / 20 / work).unwrap_or(CANDIDATE_RUNS).clamp(3, CANDIDATE_RUNS);
        let before = simulate(&scene, &in_force, runs);
        let mut moments: Vec<f64> = seen.retries.iter().map(|retry| since(retry.scheduled)).collect();
        moments.sort_by(f64::total_cmp);
        let given_up = case.chains.iter().filter(|chain| chain.given_up).count();
        Self { base, outage, from, in_force, scene, before, runs, few_runs, observed: moments, given_up }
    }

    /// The same storm, its errors going to the retriers of another policy; without one all go to the first.
    pub(super) fn scene(&self, case: &Case<'_>, policy: Option<&Policy>) -> Scene {
        Scene { calls: calls(case, policy, self.from), ..self.base.clone() }
    }

    /// The curves; `after` is the scene and the policy of the remedy.
    #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
    pub(super) fn load(&self, after: Option<(&Scene, &[Retrier])>) -> Load {
        let typical = |scene: &Scene, policy: &[Retrier], outcome: &Outcome| scene.run(policy, outcome.median_run).retries;
        let before_moments = typical(&self.scene, &self.in_force, &self.before);
        let after = after.map(|(scene, policy)| {
            let outcome = simulate(scene, policy, self.runs);
            let moments = typical(scene, policy, &outcome);
            (outcome, moments)
        });
        let all = [Some(&self.observed), Some(&before_moments), after.as_ref().map(|(_, moments)| moments)];
        let last = all.into_iter().flatten().filter_map(|moments| moments.last()).copied().fold(1.0, f64::max);
        let bin = bin_width(last);
        let curve = |outcome: &Outcome, moments: &[f64]| Curve {
            peak_per_second: outcome.peak,
            mean_per_second: per_second(outcome.retries, outcome.last),
            retries: tidy(outcome.retries),
            given_up: tidy(outcome.given_up),
            curve: binned(moments, bin, last),
        };
        Load {
            runs: self.runs,
            seed: SEED,
            outage: self.outage.clone(),
            from: self.from,
            bin_ms: bin * 1000,
            observed: Curve {
                peak_per_second: peak(&self.observed) as f64,
                mean_per_second: per_second(self.observed.len() as f64, self.observed.last().copied().unwrap_or(0.0)),
                retries: self.observed.len() as f64,
                given_up: self.given_up as f64,
                curve: binned(&self.observed, bin, last),
            },
            before: curve(&self.before, &before_moments),
            after: after.map(|(outcome, moments)| curve(&outcome, &moments)),
        }
    }
}

impl Scene {
    /// Whether any of its errors goes to this retrier.
    pub(super) fn uses(&self, retrier: usize) -> bool {
        self.calls.iter().any(|call| call.retriers.contains(&Some(retrier)))
    }
}

/// The calls that failed first, their errors with the retriers that take them.
fn calls(case: &Case<'_>, policy: Option<&Policy>, from: Micros) -> Vec<Call> {
    let retrier = |error: Option<Name>| match policy {
        Some(policy) => policy.retrier_for(error.map_or("", |error| case.observed.text(error))).map(|(index, _)| index),
        None => Some(0),
    };
    let call = |chain: &Chain| {
        let mut retriers: Vec<Option<usize>> = chain.errors.iter().map(|error| retrier(*error)).collect();
        // The error after which there was no retry any more.
        if let Some(last) = chain.retries.last().filter(|_| chain.given_up) {
            retriers.push(retrier(case.seen.attempt(case.observed, &case.seen.retries[*last]).error));
        }
        Call { failed: chain.failed.milliseconds_since(from) / 1000.0, retriers }
    };
    case.chains.iter().map(call).collect()
}

/// What the service took on top of the waits. Waits with jitter don't tell.
fn overheads(main: &Main, retrier: usize, in_force: &[Retrier]) -> Vec<f64> {
    let Some(retrier) = in_force.get(retrier).filter(|retrier| !retrier.full_jitter) else { return Vec::new() };
    let over = |(number, waits): (&u32, &Vec<f64>)| {
        let nominal = retrier.nominal_delay_seconds(*number);
        waits.iter().map(|wait| wait / 1000.0 - nominal).filter(|over| (0.0..=LARGEST_OVERHEAD).contains(over)).collect::<Vec<f64>>()
    };
    main.waits.iter().flat_map(over).collect()
}

/// The width of a curve's bins in seconds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds, not negative")]
fn bin_width(last: f64) -> u64 {
    BINS.into_iter().find(|bin| last / *bin as f64 <= MOST_BINS).unwrap_or_else(|| (last / MOST_BINS).ceil() as u64)
}

fn per_second(retries: f64, last: f64) -> f64 {
    tidy(retries / last.max(1.0))
}

/// Retries a second in bins of so many seconds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a few hundred bins")]
fn binned(moments: &[f64], bin: u64, last: f64) -> Vec<f64> {
    let width = bin as f64;
    let count = (last / width).floor().clamp(0.0, MOST_BINS) as usize + 1;
    let mut bins = vec![0.0; count];
    for moment in moments {
        let at = (moment / width).floor().max(0.0) as usize;
        if let Some(value) = bins.get_mut(at) {
            *value += 1.0;
        }
    }
    bins.into_iter().map(|count| tidy(count / width)).collect()
}
