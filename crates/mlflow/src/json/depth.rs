//! How deep a text's brackets nest, found without recursion: readers that recurse are asked only after this.

/// JSON nested deeper than this is refused: Python's reader would fail on it, and no payload needs it.
pub(crate) const MAX_JSON_DEPTH: usize = 500;

/// Whether brackets outside of texts nest deeper than [`MAX_JSON_DEPTH`].
pub(crate) fn too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_texts() {
        assert!(too_deep("[".repeat(501).as_bytes()));
        assert!(!too_deep("[]".repeat(501).as_bytes()));
        assert!(!too_deep(format!("\"{}\"", "[".repeat(600)).as_bytes()));
        assert!(too_deep(format!("\"\\\"\"{}", "{".repeat(501)).as_bytes()));
    }
}
