//! Holds the table of answer shapes that is checked in to what its script makes of the models in the environment of the tests.

mod common;

use std::io::Read;
use std::path::Path;
use std::process::Command;

use common::moto::python;
use flate2::read::GzDecoder;

#[test]
fn the_table_of_shapes_is_what_its_script_writes() {
    // Without Python there is nothing to compare with; `scripts/test` says so.
    let Some(python) = python() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python).arg(root.join("scripts/service_shapes.py")).arg("--print").output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let packed = std::fs::read(root.join("src/interpreter/test_state/shapes/shapes.txt.gz")).expect("the table");
    let mut table = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut table).expect("gzip");
    assert!(output.stdout == table, "run scripts/service_shapes.py with the environment of the tests");
}
