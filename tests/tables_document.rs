//! `docs/tables.md` says what the program says of its tables.

use std::path::Path;

use stepscope::render::tables;

#[test]
fn the_page_is_made_from_the_schema() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tables.md");
    let wanted = tables::markdown();
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    if written != wanted {
        let beside = page.with_extension("md.new");
        std::fs::write(&beside, wanted).expect("docs can be written");
        panic!("docs/tables.md is not what src/store/schema.rs says; look at {} and move it over the page", beside.display());
    }
}
