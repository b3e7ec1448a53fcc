//! Columns of text for a terminal.
//!
//! Text from model folders is shown with its control characters escaped, so that no file can steer the terminal.

/// Lines of `rows`, each column as wide as its widest cell, indented by two.
pub(crate) fn render<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| printable(cell)))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut lines = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let padding = width - cell.chars().count();
            line.push_str("  ");
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// The text with control characters and the marks that turn writing around escaped.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// Bytes as a person reads them, in powers of 1000.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (count / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_steers_the_terminal() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let shown = render(&[row("naïve", "x"), row("a", "\u{1b}[2Jy\n")]);
        assert_eq!(shown, "  naïve  x\n  a      \\u{1b}[2Jy\\n\n");
    }

    #[test]
    fn sizes_are_read_in_thousands() {
        let shown: Vec<String> = [0, 999, 1000, 999_999, 1_000_000, 12_345_678_901]
            .map(bytes)
            .into();
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "12.3 GB"]
        );
    }
}
