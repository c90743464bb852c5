//! The policy that a definition declares against the one that the waits show.

use std::collections::BTreeMap;

use super::chains::{Chain, uses};
use super::report::{Declared, DefinitionBasis, Disagreement, PolicyCompared, SeenPolicy, WaitsSeen};
use crate::analysis::fleet;
use crate::analysis::observed::{Observed, UsedDefinition};
use crate::analysis::retry_policy::{Policy, Retrier};
use crate::analysis::storms::{Seen, Spread};

/// What the service may take on top of a wait before it schedules a retry: milliseconds. Histories show tens of them; a second is
/// what a busy service may take.
const OVERHEAD_MS: f64 = 1_000.0;
/// Waits of another policy differ by more than this share.
const TOLERANCE: f64 = 0.1;
/// With fewer retries the waits before the n-th use tell nothing against a definition.
const FEWEST: u64 = 4;
/// Waits that grow by less than this are taken to be cut by a longest wait.
const STOPPED_GROWING: f64 = 1.05;
/// A rate, or an interval in seconds, this close to a round one is that.
const ROUND: f64 = 0.03;

/// The policy of the retrier that most retries of a storm used.
#[derive(Debug, Clone)]
pub(super) struct Main {
    /// Its position in the state's `Retry`; `None` where no retrier takes the error, or there is none.
    pub retrier: Option<usize>,
    /// The waits before its n-th use in milliseconds, sorted; the first is that before the first.
    pub waits: BTreeMap<u32, Vec<f64>>,
}

/// All waits of a storm by retrier and use, in milliseconds, sorted.
pub(super) type Waits = BTreeMap<(Option<usize>, u32), Vec<f64>>;

/// Gathers the waits.
#[allow(clippy::cast_precision_loss, reason = "microseconds of a wait")]
pub(super) fn waits(chains: &[Chain], seen: &Seen, policy: Option<&Policy>, observed: &Observed) -> Waits {
    let mut waits = Waits::new();
    for chain in chains {
        for (key, position) in uses(chain, policy, observed).into_iter().zip(&chain.retries) {
            waits.entry(key).or_default().push(seen.retries[*position].wait.max(0) as f64 / 1000.0);
        }
    }
    for waits in waits.values_mut() {
        waits.sort_by(f64::total_cmp);
    }
    waits
}

/// The retrier with the most retries; of several the first.
pub(super) fn main_retrier(waits: &Waits) -> Main {
    let mut retries: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    for ((retrier, _), waits) in waits {
        *retries.entry(*retrier).or_default() += waits.len();
    }
    let retrier = retries.iter().max_by_key(|(retrier, count)| (**count, std::cmp::Reverse(**retrier))).and_then(|(retrier, _)| *retrier);
    let of_it = waits.iter().filter(|((index, _), _)| *index == retrier);
    Main { retrier, waits: of_it.map(|((_, number), waits)| (*number, waits.clone())).collect() }
}

/// A retrier of a definition, with when that was used.
pub(super) fn declared(policy: &Policy, index: usize, used: &UsedDefinition, basis: DefinitionBasis) -> Option<Declared> {
    Some(Declared {
        pointer: format!("{}/Retry/{index}", policy.pointer),
        basis,
        used_from: used.first_start,
        used_to: used.last_start,
        retrier: policy.retriers.get(index)?.clone(),
    })
}

/// The policy that the waits show.
pub(super) fn seen_policy(main: &Main, chains: &[Chain], spread: Spread) -> SeenPolicy {
    // Of k waits drawn up to D, the longest is k/(k+1) of D on average.
    #[allow(clippy::cast_precision_loss, reason = "counts of retries")]
    let nominal = |waits: &Vec<f64>| match spread {
        Spread::Full => waits.last().map(|longest| longest * (waits.len() + 1) as f64 / waits.len() as f64),
        Spread::None | Spread::Unclear => Some(quantile(waits, 0.5)),
    };
    let nominals: Vec<(u32, f64)> = main.waits.iter().filter_map(|(number, waits)| Some((*number, nominal(waits)?))).collect();
    let growth = |pair: &[(u32, f64)]| (pair[1].0 == pair[0].0 + 1 && pair[0].1 > 0.0).then(|| pair[1].1 / pair[0].1);
    let growths: Vec<f64> = nominals.windows(2).filter_map(growth).collect();
    let grows = growths.first().is_some_and(|first| *first > STOPPED_GROWING);
    let stopped = growths.iter().rposition(|growth| *growth > STOPPED_GROWING).map_or(0, |last| last + 1);
    // Jitter makes each longest wait uncertain; only waits without it tell of a longest one.
    let capped = grows && stopped < growths.len() && stopped > 0 && spread == Spread::None;
    let mut growing: Vec<f64> = growths[..if stopped == 0 { growths.len() } else { stopped }].to_vec();
    // The growth into the longest wait is cut as well, where there is another to tell the rate from.
    if capped && growing.len() > 1 {
        growing.pop();
    }
    growing.sort_by(f64::total_cmp);
    let rate = (!growing.is_empty()).then(|| rounded(quantile(&growing, 0.5), 10.0).max(1.0));
    let last = nominals.last().map(|(_, wait)| *wait);
    let most = chains.iter().map(|chain| chain.before as usize + chain.retries.len()).max().unwrap_or(0);
    SeenPolicy {
        interval_ms: nominals.first().filter(|(number, _)| *number == 1).map(|(_, wait)| rounded(wait / 1000.0, 1.0) * 1000.0).map(tidy),
        backoff_rate: rate.map(tidy),
        max_delay_ms: last.filter(|_| capped).map(|wait| tidy(rounded(wait / 1000.0, 1.0) * 1000.0)),
        max_attempts: most as u64,
        spread,
    }
}

/// The seen policy as a retrier; `None` where not even the first wait is known.
pub(super) fn as_retrier(seen: &SeenPolicy, error_equals: Vec<String>) -> Option<Retrier> {
    Some(Retrier {
        error_equals,
        interval_seconds: seen.interval_ms? / 1000.0,
        max_attempts: seen.max_attempts,
        backoff_rate: seen.backoff_rate.unwrap_or(1.0),
        max_delay_seconds: seen.max_delay_ms.map(|ms| ms / 1000.0),
        full_jitter: seen.spread == Spread::Full,
    })
}

/// Puts declared and seen side by side.
pub(super) fn compare(
    waits: &Waits,
    main: &Main,
    policy: Option<&Policy>,
    (declared, on_file): (Option<Declared>, Option<Declared>),
    seen: SeenPolicy,
) -> PolicyCompared {
    let rows = waits.iter().map(|((retrier, number), waits)| {
        let [p10, p50, p90] = [0.1, 0.5, 0.9].map(|share| quantile(waits, share));
        let of_policy = retrier.and_then(|index| policy?.retriers.get(index));
        WaitsSeen {
            retrier: *retrier,
            number: *number,
            retries: waits.len() as u64,
            p10_ms: tidy(p10),
            p50_ms: tidy(p50),
            p90_ms: tidy(p90),
            relative_spread: (p50 > 0.0).then(|| tidy((p90 - p10) / p50)),
            declared_ms: of_policy.map(|retrier| tidy(retrier.nominal_delay_seconds(*number) * 1000.0)),
        }
    });
    let rows: Vec<WaitsSeen> = rows.collect();
    let disagreements = disagreements(&rows, main, policy, declared.as_ref(), &seen);
    PolicyCompared { declared, on_file, seen, waits: rows, disagreements }
}

fn disagreements(
    rows: &[WaitsSeen],
    main: &Main,
    policy: Option<&Policy>,
    declared: Option<&Declared>,
    seen: &SeenPolicy,
) -> Vec<Disagreement> {
    let Some(policy) = policy else { return Vec::new() };
    let Some(Declared { retrier, basis, .. }) = declared else {
        let text = "the definition has no retrier for this error, and yet it was retried: it was changed after the storm";
        return vec![Disagreement { field: "Retry", text: text.to_owned() }];
    };
    let (which, changed) = match basis {
        DefinitionBasis::OnFile => ("the definition on file", "it was changed after the storm"),
        DefinitionBasis::InForce => ("the definition that executions came with", "it is not the one that was in force"),
    };
    let mut found = Vec::new();
    let jitter = match (retrier.full_jitter, seen.spread) {
        (true, Spread::None) => Some("has JitterStrategy FULL, the waits had no jitter"),
        (false, Spread::Full) => Some("has no JitterStrategy, the waits were spread as with FULL"),
        _ => None,
    };
    if let Some(jitter) = jitter {
        found.push(Disagreement { field: "JitterStrategy", text: format!("{which} {jitter}: {changed}") });
    }
    let of_main = rows.iter().filter(|row| row.retrier == main.retrier && row.retries >= FEWEST);
    let other = of_main.filter_map(|row| Some((row, row.declared_ms?))).find(|(row, declared)| {
        let highest = declared * (1.0 + TOLERANCE) + OVERHEAD_MS;
        // Drawn up to the nominal wait, a wait may be as short as it likes; the longest still may not be longer.
        if seen.spread == Spread::None { row.p50_ms > highest || row.p50_ms < declared * (1.0 - TOLERANCE) } else { row.p90_ms > highest }
    });
    if let Some((row, declared)) = other {
        let text = format!(
            "{which} asks for {} before retry {}, the waits were {}: {changed}",
            seconds(declared),
            row.number,
            seconds(if seen.spread == Spread::None { row.p50_ms } else { row.p90_ms }),
        );
        found.push(Disagreement { field: "IntervalSeconds", text });
    }
    let most = policy.retriers.iter().fold(0_u64, |sum, retrier| sum.saturating_add(retrier.max_attempts));
    if seen.max_attempts > most {
        let text = format!("{which} allows {most} retries, up to {} were made: {changed}", seen.max_attempts);
        found.push(Disagreement { field: "MaxAttempts", text });
    }
    found
}

/// Seconds for a sentence: `4 s`, `0.5 s`.
pub(super) fn seconds(milliseconds: f64) -> String {
    format!("{} s", (milliseconds / 100.0).round() / 10.0)
}

/// A quantile of sorted values; 0 without any.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    fleet::quantile(sorted, share).unwrap_or_default()
}

/// Rounded to a multiple of `1 / parts` where that is near.
fn rounded(value: f64, parts: f64) -> f64 {
    let round = (value * parts).round() / parts;
    let is_near = round > 0.0 && (value - round).abs() <= (value.abs() * ROUND).max(0.1 / parts);
    if is_near { round } else { value }
}

/// Three digits after the point.
pub(super) fn tidy(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact in binary, or rounded to be")]
mod tests {
    use super::*;

    fn main(waits: &[(u32, &[f64])]) -> Main {
        Main { retrier: Some(0), waits: waits.iter().map(|(number, waits)| (*number, waits.to_vec())).collect() }
    }

    #[test]
    fn an_exponential_policy_is_read_from_its_waits() {
        let main = main(&[(1, &[2030.0, 2041.0, 2055.0]), (2, &[4031.0, 4044.0]), (3, &[8039.0, 8041.0]), (4, &[16_050.0])]);
        let seen = seen_policy(&main, &[], Spread::None);
        assert_eq!((seen.interval_ms, seen.backoff_rate, seen.max_delay_ms), (Some(2000.0), Some(2.0), None));
    }

    #[test]
    fn a_longest_wait_shows_where_waits_stop_growing() {
        let main = main(&[(1, &[3040.0]), (2, &[6040.0]), (3, &[10_040.0]), (4, &[10_030.0]), (5, &[10_050.0])]);
        let seen = seen_policy(&main, &[], Spread::None);
        assert_eq!((seen.interval_ms, seen.backoff_rate, seen.max_delay_ms), (Some(3000.0), Some(2.0), Some(10_000.0)));
    }

    #[test]
    fn a_constant_wait_has_rate_one_and_no_longest() {
        let seen = seen_policy(&main(&[(1, &[5020.0]), (2, &[5030.0]), (3, &[5010.0])]), &[], Spread::None);
        assert_eq!((seen.interval_ms, seen.backoff_rate, seen.max_delay_ms), (Some(5000.0), Some(1.0), None));
        let once = seen_policy(&main(&[(1, &[5020.0])]), &[], Spread::None);
        assert_eq!((once.interval_ms, once.backoff_rate), (Some(5000.0), None));
        assert_eq!(seen_policy(&main(&[]), &[], Spread::Unclear).interval_ms, None);
    }

    #[test]
    fn jittered_waits_tell_what_they_were_drawn_from() {
        let waits: Vec<f64> = (1..=99).map(|part| f64::from(part) * 40.0).collect();
        let twice: Vec<f64> = waits.iter().map(|wait| wait * 2.0).collect();
        let seen = seen_policy(&main(&[(1, &waits), (2, &twice)]), &[], Spread::Full);
        assert_eq!((seen.interval_ms, seen.backoff_rate), (Some(4000.0), Some(2.0)));
    }

    #[test]
    fn quantiles_are_those_of_type_7() {
        // numpy.quantile([1, 2, 4, 8], [0.1, 0.5, 0.9]) = [1.3, 3.0, 6.8]
        let quantiles = [0.1, 0.5, 0.9].map(|share| tidy(quantile(&[1.0, 2.0, 4.0, 8.0], share)));
        assert_eq!(quantiles, [1.3, 3.0, 6.8]);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
