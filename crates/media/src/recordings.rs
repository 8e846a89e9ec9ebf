//! Where a run keeps the recordings of its answering points, and how their files are called.

/// The folder of a run that has them.
pub const FOLDER: &str = "recordings";

/// The name of the `nth` recording, counted from 1, that the answering point `psap` makes of a call: `PSAP-ATTEMPT.wav`, then
/// `PSAP-ATTEMPT-2.wav`. An attempt that comes to a PSAP twice, as when its first site died, has two.
#[must_use]
pub fn file_name(psap: &str, attempt: &str, nth: usize) -> String {
    match nth {
        ..=1 => format!("{psap}-{attempt}.wav"),
        nth => format!("{psap}-{attempt}-{nth}.wav"),
    }
}

/// Who has made the recording of this name, if it is one of the call `attempt`.
#[must_use]
pub fn psap_of<'a>(name: &'a str, attempt: &str) -> Option<&'a str> {
    let (psap, rest) = name.strip_suffix(".wav")?.rsplit_once(attempt)?;
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|octet| octet.is_ascii_digit());
    (rest.is_empty() || rest.strip_prefix('-').is_some_and(is_number)).then_some(())?;
    psap.strip_suffix('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_who_has_recorded_which_call() {
        let (attempt, other) = ("0a".repeat(16), "0b".repeat(16));
        for nth in [1, 2, 11] {
            let name = file_name("samu-59", &attempt, nth);
            assert_eq!(psap_of(&name, &attempt), Some("samu-59"), "{name}");
            assert_eq!(psap_of(&name, &other), None, "{name}");
        }
        for wrong in
            [format!("a-{attempt}-x.wav"), format!("a{attempt}.wav"), format!("a-{attempt}")]
        {
            assert_eq!(psap_of(&wrong, &attempt), None, "{wrong}");
        }
    }
}
