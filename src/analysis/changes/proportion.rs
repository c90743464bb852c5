//! Where a rate steps: yes or no in the order of time, cut where both sides differ most.
//!
//! For a window with `k1` of `n1` and the rest with `k0` of `n0`, the log likelihood ratio against one common rate is
//! `LLR = h(k1, n1) + h(k0, n0) - h(k1 + k0, n1 + n0)` with `h(k, n) = k ln(k / n) + (n - k) ln(1 - k / n)`. All windows that begin and end with a yes are tried:
//! those that go to the end (a step) and those that do not (an outage). How likely the best one is by chance is not read off the
//! LLR, because it was looked for:
//!
//! | window                        | p, if the same number of yes fell anywhere                                        |
//! |-------------------------------|------------------------------------------------------------------------------------|
//! | to the end, with all of them  | exact: `C(n1, K) / C(N, K)`, the chance that the first of K comes that late             |
//! | to the end                    | at most `2 K × P(H >= k1 - 1)`: one yes begins it, as many of the others fall behind it   |
//! | any other                     | at most `2 K² × P(H >= k1 - 1)`: its length was looked for, too                          |
//!
//! `H` is hypergeometric; both bounds are sums over all windows that could have been best (the union bound of scan statistics: Naus,
//! 1965). A permutation of the same outcomes, with a fixed seed, checks them.

use super::ranks::real;
use crate::analysis::statistics::Table;

/// A window in which there are more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// The first outcome in it: a yes.
    pub from: usize,
    /// The first after it; how many there are where it goes to the end.
    pub to: usize,
    /// How many yes in it.
    pub having: usize,
    /// The log likelihood ratio.
    pub llr: f64,
    /// How likely one at least as striking is if the rate never changed.
    pub p: f64,
}

/// Places of yes among so many outcomes, in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcomes<'a> {
    pub places: &'a [usize],
    pub count: usize,
}

/// Fewer yes than this are no rate.
pub(super) const FEWEST: usize = 3;
/// A rate has ended if nothing is met for so long that it would be less likely than one in a hundred: `ln 100`.
const ENDED: f64 = 4.6;
/// Beginnings that are less likely by no more than this factor of e fit nearly as well.
const NEAR: f64 = 2.0;
/// So many beginnings and ends are tried, then those around the best.
const PLACES: usize = 64;

fn entropy(having: usize, count: usize) -> f64 {
    if having == 0 || having >= count {
        return 0.0;
    }
    let (having, count) = (real(having), real(count));
    having * (having / count).ln() + (count - having) * (1.0 - having / count).ln()
}

impl Outcomes<'_> {
    /// The log likelihood ratio of a window with more than the rest; 0 for one with less.
    fn llr(&self, from: usize, to: usize, having: usize) -> f64 {
        let (all, inside) = (self.places.len(), to - from);
        let outside = self.count - inside;
        if outside == 0 || inside == 0 || real(having) * real(outside) <= real(all - having) * real(inside) {
            return 0.0;
        }
        entropy(having, inside) + entropy(all - having, outside) - entropy(all, self.count)
    }

    /// From the n-th yes to the m-th; to the end if there is none.
    fn window(&self, first: usize, last: usize) -> (usize, usize, usize) {
        let from = self.places[first];
        match self.places.get(last) {
            Some(place) => (from, place + 1, last + 1 - first),
            None => (from, self.count, self.places.len() - first),
        }
    }

    /// The best window that goes to the end, and the best of all: numbers of their first and last yes, with the LLR.
    fn best(&self) -> [(usize, usize, f64); 2] {
        let yes = self.places.len();
        let step = (yes / PLACES).max(1);
        let told = |first: usize, last: usize| {
            let (from, to, having) = self.window(first, last);
            (first, last, self.llr(from, to, having))
        };
        let larger = |one: (usize, usize, f64), other: (usize, usize, f64)| if other.2 > one.2 { other } else { one };
        let (first, llr) = self.best_rest();
        let suffix = (first, yes, llr);
        let ends = |first: usize| (first + FEWEST - 1..yes).step_by(step);
        let mut any = (0..yes).step_by(step).flat_map(|first| ends(first).map(move |last| (first, last)));
        let mut best = any.by_ref().map(|(first, last)| told(first, last)).fold(suffix, larger);
        if step > 1 && best.1 < yes {
            for _ in 0..2 {
                let around = |middle: usize| middle.saturating_sub(step)..=(middle + step).min(yes - 1);
                best = around(best.0).filter(|first| *first < best.1).map(|first| told(first, best.1)).fold(best, larger);
                best = around(best.1).filter(|last| *last > best.0).map(|last| told(best.0, last)).fold(best, larger);
            }
        }
        [suffix, best]
    }

    /// The window that sets itself apart most. One that goes to the end goes before any that is not better by [`ENDED`]: whether it is
    /// over, the data do not tell then. Nor is it over where it is met again after it,
    /// and chance puts all of them so late less often than it makes the window.
    pub fn scan(&self) -> Option<Window> {
        if self.places.len() < FEWEST || self.count <= self.places.len() {
            return None;
        }
        let [suffix, best] = self.best();
        let (first, last, llr) = if suffix.2 >= best.2 - ENDED { suffix } else { best };
        if llr <= 0.0 {
            return None;
        }
        let window = self.told(first, last);
        let all = self.told(0, self.places.len());
        let is_met_again = self.places.last().is_some_and(|last| *last >= window.to);
        Some(if is_met_again && all.llr > 0.0 && all.p <= window.p { all } else { window })
    }

    fn told(&self, first: usize, last: usize) -> Window {
        let (from, to, having) = self.window(first, last);
        let window = Window { from, to, having, llr: self.llr(from, to, having), p: 1.0 };
        Window { p: self.p_of(window), ..window }
    }

    fn p_of(&self, window: Window) -> f64 {
        let (yes, inside) = (self.places.len(), window.to - window.from);
        let table = |having: usize, yes: usize, inside: usize, count: usize| Table {
            a: having as u64,
            a_total: inside as u64,
            b: (yes - having) as u64,
            b_total: (count - inside) as u64,
        };
        if window.to == self.count && window.having == yes {
            return table(yes, yes, inside, self.count).at_least();
        }
        let others = table(window.having - 1, yes - 1, inside - 1, self.count - 1).at_least();
        let tried = if window.to == self.count { real(yes) } else { real(yes) * real(yes) };
        // Two kinds were looked for.
        (others * tried * 2.0).min(1.0)
    }

    /// A window with these yes alone, by their numbers. How likely it is by chance remains that of the window that was looked for.
    pub fn narrowed(&self, window: Window, yes: std::ops::Range<usize>) -> Window {
        let (from, to, having) = self.window(yes.start, yes.end - 1);
        Window { from, to, having, llr: self.llr(from, to, having), p: window.p }
    }

    /// The window to the end that sets itself apart most; `None` where none has more than what was before.
    pub fn rest(&self) -> Option<Window> {
        let (first, llr) = self.best_rest();
        let (from, to, having) = (llr > 0.0).then(|| self.window(first, self.places.len()))?;
        Some(Window { from, to, having, llr, p: 1.0 })
    }

    /// The first yes of the best window to the end, with the LLR. The first of all goes before any that is not better by [`NEAR`]: what was
    /// never met before began when it was first met.
    fn best_rest(&self) -> (usize, f64) {
        let yes = self.places.len();
        let llr = |first: usize| {
            let (from, to, having) = self.window(first, yes);
            self.llr(from, to, having)
        };
        let best = (0..yes).map(|first| (first, llr(first))).fold((0, 0.0), |one, other| if other.1 > one.1 { other } else { one });
        match (0..yes.min(1)).map(llr).next() {
            Some(whole) if whole > 0.0 && whole >= best.1 - NEAR => (0, whole),
            _ => best,
        }
    }

    /// Where the window may have begun: every outcome that could be its first, with its log likelihood ratio, as far as that is less than
    /// `least` below the window's.
    pub fn onsets(&self, window: Window, least: f64) -> Vec<(usize, f64)> {
        let before = |from: usize| self.places.partition_point(|place| *place < from);
        let end = before(window.to);
        let mut found = Vec::new();
        let llr = |from: usize| self.llr(from, window.to, end - before(from));
        let is_near = |llr: f64| llr >= window.llr - least && llr > 0.0;
        // Away from the window's first in both directions, until nothing near has been met for as many yes as it takes to be sure.
        found.extend((window.from..window.to).map(|from| (from, llr(from))).take_while(|(_, llr)| is_near(*llr)));
        found.extend((0..window.from).rev().map(|from| (from, llr(from))).take_while(|(_, llr)| is_near(*llr)));
        found.sort_unstable_by_key(|(from, _)| *from);
        found
    }

    /// Of so many shuffles of the same outcomes, how many have a window with at least this LLR.
    pub fn shuffled(&self, llr: f64, shuffles: u32, seed: u64) -> u32 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut places: Vec<usize> = Vec::new();
        let mut reached = 0;
        // Where not every window is tried, those with half of it are looked at more closely.
        let is_every_tried = self.places.len() / PLACES <= 1;
        let longest = self.longest(if is_every_tried { llr } else { llr / 2.0 });
        for _ in 0..shuffles {
            places.clear();
            // One of each remaining place with the chance that is left for it: a sample in order.
            let mut wanted = self.places.len();
            for place in 0..self.count {
                if random.usize(..self.count - place) < wanted {
                    places.push(place);
                    wanted -= 1;
                }
            }
            let outcomes = Outcomes { places: &places, count: self.count };
            reached += u32::from(outcomes.has_within(&longest) && (is_every_tried || outcomes.best()[1].2 >= llr));
        }
        reached
    }

    /// How long a window with so many yes may be to reach the LLR, by how many: the longer it is, the less it stands out.
    fn longest(&self, llr: f64) -> Vec<usize> {
        let longest = |having: usize| {
            let (mut reaches, mut fails) = (having.saturating_sub(1), self.count + 1);
            while fails - reaches > 1 {
                let middle = reaches + (fails - reaches) / 2;
                if self.llr(0, middle, having) >= llr { reaches = middle } else { fails = middle }
            }
            if reaches >= having { reaches } else { 0 }
        };
        (0..=self.places.len()).map(longest).collect()
    }

    /// Whether one of the windows that are tried is no longer than that.
    fn has_within(&self, longest: &[usize]) -> bool {
        let yes = self.places.len();
        let step = (yes / PLACES).max(1);
        let is_within = |first: usize, last: usize| {
            let (from, to, having) = self.window(first, last);
            to - from <= longest[having]
        };
        (0..yes).any(|first| is_within(first, yes))
            || (0..yes).step_by(step).any(|first| (first + FEWEST - 1..yes).step_by(step).any(|last| is_within(first, last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(places: &[usize], count: usize) -> Option<Window> {
        Outcomes { places, count }.scan()
    }

    #[test]
    fn what_was_never_there_before_has_an_exact_p() {
        let places: Vec<usize> = (100..122).step_by(2).collect();
        let window = scan(&places, 122).expect("a window");
        assert_eq!((window.from, window.to, window.having), (100, 122, 11));
        // C(22, 11) / C(122, 11)
        assert!((window.p / 5.027_041_261e-10 - 1.0).abs() < 1e-6, "{:e}", window.p);
    }

    #[test]
    fn an_outage_has_both_ends_and_a_step_only_one() {
        let outage: Vec<usize> = [3, 50].into_iter().chain(200..230).chain([400]).collect();
        let window = scan(&outage, 500).expect("a window");
        assert_eq!((window.from, window.to, window.having), (200, 230, 30));
        assert!(window.p < 1e-20);
        let step: Vec<usize> = [3, 50].into_iter().chain((300..500).step_by(4)).collect();
        let window = scan(&step, 500).expect("a window");
        assert_eq!((window.from, window.to), (300, 500));
    }

    #[test]
    fn the_onset_has_an_interval() {
        let places: Vec<usize> = (300..500).step_by(10).collect();
        let outcomes = Outcomes { places: &places, count: 500 };
        let window = outcomes.scan().expect("a window");
        let onsets = outcomes.onsets(window, 2.0);
        let (from, to) = (onsets.first().expect("one").0, onsets.last().expect("one").0);
        assert!(from < 300 && from > 260 && (300..=330).contains(&to), "{from} {to}");
    }

    /// One in four from 92 on, the first of them alone for a while: without it the window would be a little better.
    #[test]
    fn what_was_never_met_before_began_with_its_first() {
        let places: Vec<usize> = std::iter::once(92).chain((112..220).step_by(4)).collect();
        let outcomes = Outcomes { places: &places, count: 220 };
        let without = outcomes.llr(112, 220, places.len() - 1);
        let window = outcomes.scan().expect("a window");
        assert!(window.llr < without && window.llr > without - NEAR, "{} {without}", window.llr);
        assert_eq!((window.from, window.to, window.having), (92, 220, places.len()));
        assert_eq!(outcomes.rest().map(|window| window.from), Some(92));
        let stray: Vec<usize> = std::iter::once(20).chain(112..220).collect();
        assert_eq!(scan(&stray, 220).map(|window| window.from), Some(112), "one long before is a stray");
    }

    /// Never in the first 60, then one in five, among them a run of nine: the run is chance, that there are none before is not.
    #[test]
    fn what_was_never_there_before_is_not_over_for_a_run_of_it() {
        let places: Vec<usize> = (60..90).step_by(5).chain(90..99).chain((104..150).step_by(6)).collect();
        let outcomes = Outcomes { places: &places, count: 150 };
        let [rest, best] = outcomes.best();
        assert!(best.2 > rest.2 + ENDED, "{rest:?} {best:?}");
        let window = outcomes.scan().expect("a window");
        assert_eq!((window.from, window.to), (60, 150), "{window:?}");
        let over: Vec<usize> = (4..35).collect();
        assert_eq!(scan(&over, 40).map(|window| (window.from, window.to)), Some((4, 35)), "not met again");
    }

    #[test]
    fn nothing_is_made_of_few_or_of_all() {
        assert_eq!(scan(&[1, 2], 100), None);
        assert_eq!(scan(&[0, 1, 2, 3], 4), None);
        assert_eq!(scan(&[], 0), None);
    }

    /// A constant rate, 1,000 series of each: p is below 0.001 in about one.
    #[test]
    fn a_constant_rate_is_seldom_called_a_change() {
        let mut random = fastrand::Rng::with_seed(5);
        for rate in [0.01, 0.1, 0.5] {
            let mut called = 0;
            for _ in 0..1000 {
                let places: Vec<usize> = (0..300).filter(|_| random.f64() < rate).collect();
                called += u32::from(scan(&places, 300).is_some_and(|window| window.p < 0.001));
            }
            assert!(called <= 3, "{called} of 1000 at {rate}");
        }
    }

    /// Each shuffle scanned as the outcomes are.
    fn shuffled_by_scans(outcomes: Outcomes<'_>, llr: f64, shuffles: u32, seed: u64) -> u32 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut reached = 0;
        for _ in 0..shuffles {
            let mut wanted = outcomes.places.len();
            let mut places: Vec<usize> = Vec::new();
            for place in 0..outcomes.count {
                if random.usize(..outcomes.count - place) < wanted {
                    places.push(place);
                    wanted -= 1;
                }
            }
            let shuffled = Outcomes { places: &places, count: outcomes.count };
            let rest = (0..places.len()).map(|first| shuffled.llr(places[first], outcomes.count, places.len() - first)).fold(0.0, f64::max);
            reached += u32::from(rest.max(shuffled.best()[1].2) >= llr);
        }
        reached
    }

    #[test]
    fn lengths_tell_what_scans_of_shuffles_tell() {
        for (yes, count) in [(5, 40), (12, 200), (50, 120), (150, 400)] {
            let places: Vec<usize> = (0..yes).map(|yes| yes * count / 400 + count / 2).collect();
            let outcomes = Outcomes { places: &places, count };
            for llr in [1.0, 3.0, 5.0, 8.0] {
                assert_eq!(outcomes.shuffled(llr, 99, 4), shuffled_by_scans(outcomes, llr, 99, 4), "{yes} of {count}: {llr}");
            }
        }
    }

    #[test]
    fn shuffles_agree() {
        let mut random = fastrand::Rng::with_seed(6);
        let even: Vec<usize> = (0..300).filter(|_| random.f64() < 0.05).collect();
        let outcomes = Outcomes { places: &even, count: 300 };
        let window = outcomes.scan().expect("a window");
        assert!(outcomes.shuffled(window.llr, 199, 1) > 20, "nothing unusual");
        let bunched: Vec<usize> = (100..130).collect();
        let outcomes = Outcomes { places: &bunched, count: 300 };
        assert_eq!(outcomes.shuffled(outcomes.scan().expect("a window").llr, 199, 1), 0);
    }
}
