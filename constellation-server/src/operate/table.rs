//! Tables for people: aligned with spaces, and nothing else.

/// Lines of a table: every column as wide as its widest cell, the last one as it is.
pub(super) fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default().max(head[column].len())
    };
    let widths: Vec<_> = (0..COLUMNS).map(width).collect();
    let mut lines = vec![line(&head, &widths)];
    lines.extend(rows.iter().map(|row| line(row, &widths)));
    lines.join("\n")
}

fn line(cells: &[impl AsRef<str>], widths: &[usize]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{:width$}", cell.as_ref()));
    let line = padded.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".into(), "1".into()], ["long".into(), "22".into()]];
        assert_eq!(table(["N", "KEYS"], &rows), "N     KEYS\na     1\nlong  22");
    }
}
