//! The known name that a misspelt one most likely meant.

/// The candidate nearest to `typed`, when one is near enough to be meant.
///
/// Letter case does not count. Near enough is one edit for every three letters, and always one.
pub(crate) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let edits_max = (typed.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            (edits(&typed, &letters), candidate)
        })
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How many insertions, deletions, replacements and swaps of neighbours turn `from` into `to`
/// (the optimal string alignment distance).
fn edits(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != wanted);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == to[column - 1] && from[row - 1] == *wanted;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["IntervalMs", "MaxFailures", "Port"];

    #[test]
    fn another_letter_case_is_the_nearest_of_all() {
        assert_eq!(nearest("INTERVALMS", NAMES), Some("IntervalMs"));
    }

    #[test]
    fn a_missing_a_doubled_and_a_swapped_letter_are_recognised() {
        assert_eq!(nearest("IntervlMs", NAMES), Some("IntervalMs"));
        assert_eq!(nearest("MaxFaillures", NAMES), Some("MaxFailures"));
        assert_eq!(nearest("Prot", NAMES), Some("Port"));
    }

    #[test]
    fn a_name_like_none_gets_no_suggestion() {
        assert_eq!(nearest("Threads", NAMES), None);
        assert_eq!(nearest("", NAMES), None);
    }

    #[test]
    fn the_distance_counts_each_kind_of_edit_once() {
        let distance = |from: &str, to: &str| {
            edits(
                &from.chars().collect::<Vec<_>>(),
                &to.chars().collect::<Vec<_>>(),
            )
        };
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("abc", "ab"), 1);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
