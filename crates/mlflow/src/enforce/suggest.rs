//! The nearest known name to a misspelt one.

/// Names longer than this are not compared: the cost grows with the product of the lengths.
const LONGEST: usize = 64;

/// The name of `known` that `name` was probably meant to be: equal but for case and separators, or few letters away.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let plain = plain(name);
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    let candidates = known.filter(|known| known.len() <= LONGEST && *known != name);
    let ranked = candidates.filter_map(|known| {
        if self::plain(known) == plain {
            return Some((0, known));
        }
        let distance = distance(name, known);
        (distance <= allowed && distance < known.chars().count()).then_some((distance, known))
    });
    ranked
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn plain(name: &str) -> String {
    let kept = name.chars().filter(|letter| letter.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// Letters to insert, remove or replace, with two neighbours swapped counted as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for row in 1..=a.len() {
        let mut current = vec![row; b.len() + 1];
        for column in 1..=b.len() {
            let replaced = last[column - 1] + usize::from(a[row - 1] != b[column - 1]);
            current[column] = replaced.min(last[column] + 1).min(current[column - 1] + 1);
            let swapped =
                row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1];
            if swapped {
                current[column] = current[column].min(before[column - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, current);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_find_their_like() {
        let known = ["sepal_length", "petal_width", "age", "a"];
        let find = |name| nearest(name, known.into_iter());
        assert_eq!(find("sepal_lenght"), Some("sepal_length"));
        assert_eq!(find("Sepal Length"), Some("sepal_length"));
        assert_eq!(find("aeg"), Some("age"));
        assert_eq!(find("AGE"), Some("age"));
        assert_eq!(find("weight"), None);
        assert_eq!(find("b"), None);
        assert_eq!(find(""), None);
    }
}
