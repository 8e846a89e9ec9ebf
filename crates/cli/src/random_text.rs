//! Texts that nobody can guess: passwords of telephones, and what nonces are made with.

use rand::TryRng as _;
use rand::rngs::SysRng;

/// Letters and digits that nobody takes for another one, as somebody will type them into a telephone. 32 of them: 5 bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A text of `length` such letters.
///
/// # Errors
/// The system has no randomness: nothing else may take its place.
pub fn random_text(length: usize) -> anyhow::Result<String> {
    let mut bytes = vec![0; length];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    Ok(bytes.iter().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_differ_and_can_be_typed() {
        let (one, other) = (random_text(20).unwrap(), random_text(20).unwrap());
        assert!(one != other && one.len() == 20);
        assert!(one.bytes().all(|byte| LETTERS.contains(&byte)), "{one}");
    }
}
