//! proto
use super::clock::{Clock, Span};
use super::law::Law;

pub struct Judged { pub clock: Clock, pub law: Law, pub open: Vec<Opinion>, pub longest: f64, pub stopped: Option<(i64,f64)> }
#[derive(Debug, Clone)]
pub struct Opinion { pub at: usize, pub age: f64, pub survival: f64, pub lost: f64, pub is_stuck: bool }

pub struct Knobs { pub lost: f64, pub beyond: f64, pub stopped: f64, pub longest: f64 }

pub fn judge(spans: &[Span], is_open: &[bool], now: i64, k: &Knobs) -> Option<Judged> {
    let n = spans.iter().filter(|s| s.is_answered).count();
    if n < 20 { return None; }
    let (a, o) = Clock::Wall.ages(spans);
    let mut law = Law::fit(&a, &o)?;
    let clock = Clock::of(spans, &law, now);
    if clock != Clock::Wall { let (a, o) = clock.ages(spans); law = Law::fit(&a, &o)?; }
    let longest = spans.iter().filter(|s| s.is_answered).map(|s| clock.milliseconds(s.from, s.to)).fold(0.0, f64::max);
    let mut open: Vec<Opinion> = Vec::new();
    for (i, s) in spans.iter().enumerate() { if is_open[i] {
        let age = clock.milliseconds(s.from, s.to);
        let lost = law.lost_at(age, law.lost);
        let survival = law.survival(age);
        open.push(Opinion { at: i, age, survival, lost, is_stuck: lost >= k.lost && survival <= k.beyond && age > k.longest * longest });
    }}
    // stopped
    let last = spans.iter().filter(|s| s.is_answered).map(|s| s.to).max().unwrap_or(now);
    let mut due = 0.0;
    for o in &open {
        let before = clock.milliseconds(spans[o.at].from, last);
        let healthy = 1.0 - law.lost_at(before, law.lost);
        due += healthy * (law.hazard(o.age) - law.hazard(before)).min(3.0);
    }
    let short = law.exceeded_by(0.05) < 3_600_000.0;
    let stopped = ((n >= 48 || short) && due >= k.stopped).then_some((last, due));
    if stopped.is_some() { for o in &mut open { if o.age>0.0 {o.is_stuck = true;} } }
    Some(Judged { clock, law, open, longest, stopped })
}
