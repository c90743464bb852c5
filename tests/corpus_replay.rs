//! Recordings of the real service, replayed nearly as they stand in the corpus.
//!
//! There words stand for values of the run (`<uuid:1>`, `date`), of which the definition knows nothing. Region and partition are put
//! back here; a share of the recordings cannot be reproduced for the other words. The full measure is taken outside of these tests.

mod common;

use common::corpus::{corpus, files};
use stepscope::analysis::replay::{Request, Verdict, replay};
use stepscope::asl::Definition;
use stepscope::model::History;
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, read_stream};

/// The least share of the recordings that must be reproduced, words and all. It is never lowered.
const FLOOR: f64 = 0.85;

fn verdict(history: &History) -> (Verdict, String) {
    let graph = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, graph.as_ref());
    let report = replay(Request { history, path: &path, definition: None, changes: None }).expect("a replay").report;
    let reason = report.first_divergence.map(|divergence| divergence.reason).or(report.not_replayable);
    (report.verdict, reason.unwrap_or_default())
}

#[test]
#[allow(clippy::cast_precision_loss, reason = "a few hundred recordings")]
fn recordings_are_reproduced() {
    let Some(corpus) = corpus() else { return };
    let mut reproduced = 0;
    let mut others = Vec::new();
    for path in files(&corpus.join("aws-recorded")) {
        let mut read = Vec::new();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = text.replace("<region>", "us-east-1").replace("arn:<partition>:", "arn:aws:");
        // Recordings without a history are among the files.
        read_stream(text.as_bytes(), &path.display().to_string(), &Limits::default(), &mut |result| read.extend(result));
        for history in read {
            match verdict(&history) {
                (Verdict::Reproduced, _) => reproduced += 1,
                (verdict, reason) => others.push(format!("{verdict:?} {}: {reason}", path.display())),
            }
        }
    }
    let all = reproduced + others.len();
    assert!(all >= 400, "{all} histories");
    let share = f64::from(u32::try_from(reproduced).expect("a few hundred")) / all as f64;
    assert!(share >= FLOOR, "{share:.4} of {all} reproduced:\n{}", others.join("\n"));
}
