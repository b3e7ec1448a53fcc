//! Keeps `protocol/worker.md` beside the code that it describes: a machine notices when either moves alone.

use std::path::Path;

use sha2::{Digest, Sha256};

const PAGE: &str = "protocol/worker.md";

#[test]
fn the_page_describes_this_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join(PAGE)).unwrap();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |"));
    let digests: Vec<(&str, &str)> = rows.filter_map(|row| row.split_once("` | `")).collect();
    assert_eq!(digests.len(), 4, "{PAGE} lists the digests of four files");
    let mut stale = Vec::new();
    for (file, written) in digests {
        let bytes = std::fs::read(root.join(file)).unwrap();
        let found: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if found != written {
            stale.push(format!("{file}: {found}"));
        }
    }
    assert!(
        stale.is_empty(),
        "read {PAGE} again, mend it, then write these digests into it:\n{}",
        stale.join("\n")
    );
}
