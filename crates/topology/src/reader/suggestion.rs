//! The word that was probably meant.

/// Longer words are no slips of the pen, and take long to be compared.
const LONGEST: usize = 64;

/// The candidate nearest to `word`, when it is near enough to be a slip of the pen.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["circuits", "address", "policy"];
        assert_eq!(nearest("circuit", known), Some("circuits"));
        assert_eq!(nearest("adress", known), Some("address"));
        assert_eq!(nearest("weight", known), None);
    }
}
