//! Latent defects in the words of whoever arms one by hand: `poison-call number=112 busy=3`, or keys and values as a file has them.

use std::fmt;

use crate::format_duration;
use crate::problem::Problems;
use crate::reader::{Document, Layers, nearest};
use crate::release::{Defect, Release};

impl Defect {
    /// The keys that a defect of this name has in a file; none for what is no name.
    #[must_use]
    pub fn keys(name: &str) -> &'static [&'static str] {
        match name {
            "recovery-crash" => &["window"],
            "poison-call" => &["number", "busy"],
            "counter-ceiling" => &["numbers", "ceiling"],
            "poison-replica" => &["number"],
            _ => &[],
        }
    }

    /// Reads a defect by its name, and its keys in lines of TOML.
    ///
    /// # Errors
    /// Every mistake, in one sentence; of an unknown name, with those that there are.
    pub fn parse(name: &str, keys: &str) -> Result<Self, String> {
        if !Self::NAMES.contains(&name) {
            let meant = nearest(name, Self::NAMES);
            let hint = meant.map(|meant| format!("did you mean {meant:?}? ")).unwrap_or_default();
            return Err(format!(
                "there is no defect {name:?}; {hint}the defects are {}; `tocsin defects --why` explains them",
                Self::NAMES.join(", ")
            ));
        }
        let said = |problems: Problems| {
            let told = problems.0.into_iter().map(|problem| {
                let key = problem.key.rsplit('.').next().unwrap_or_default().to_owned();
                if key == name || key.is_empty() {
                    format!("{name} {}", problem.message)
                } else {
                    format!("{name}: {key}: {}", problem.message)
                }
            });
            told.collect::<Vec<_>>().join("; ")
        };
        let text = format!("[releases.r.defects.{name}]\n{keys}");
        let document = Document::parse("the defect", &text, &Layers::none()).map_err(said)?;
        let releases = document.read(|root| root.named("releases", Release::read));
        let defect = releases.into_iter().flat_map(|release| release.defects).next();
        let defect = document.finish(defect).map_err(said)?;
        defect.ok_or_else(|| format!("{name} is no defect"))
    }

    /// Reads `poison-call`, and `number=112` and `busy=3` as the words after it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn of_words(name: &str, words: &[&str]) -> Result<Self, String> {
        let mut keys = String::new();
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                return Err(format!("{word:?} is no KEY=VALUE of {name}"));
            };
            if !Self::keys(name).contains(&key) && Self::NAMES.contains(&name) {
                let keys = match Self::keys(name) {
                    [] => "it has none".to_owned(),
                    keys => format!("its keys are {}", keys.join(", ")),
                };
                return Err(format!("{name} has no key {key:?}; {keys}"));
            }
            let value = match key {
                "busy" | "ceiling" if value.bytes().all(|b| b.is_ascii_digit()) => value.to_owned(),
                "numbers" => {
                    let numbers: Vec<String> =
                        value.split(',').map(|one| format!("{one:?}")).collect();
                    format!("[{}]", numbers.join(", "))
                }
                _ => format!("{value:?}"),
            };
            keys += &format!("{key} = {value}\n");
        }
        Self::parse(name, &keys)
    }
}

/// As [`Defect::of_words`] reads it.
impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::ContextLeak | Self::SilentLock => Ok(()),
            Self::RecoveryCrash { window } => write!(f, " window={}", format_duration(*window)),
            Self::PoisonCall { number, busy } => write!(f, " number={number} busy={busy}"),
            Self::CounterCeiling { numbers, ceiling } => {
                write!(f, " numbers={} ceiling={ceiling}", numbers.join(","))
            }
            Self::PoisonReplica { number } => write!(f, " number={number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Defect, String> {
        let words: Vec<&str> = words.split_whitespace().collect();
        Defect::of_words(words[0], &words[1..])
    }

    #[test]
    fn every_defect_is_written_as_it_is_read() {
        let words = [
            "context-leak",
            "recovery-crash window=20ms",
            "poison-call number=112 busy=3",
            "counter-ceiling numbers=15,112 ceiling=100",
            "silent-lock",
            "poison-replica number=18",
        ];
        for text in words {
            let defect = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(defect.to_string(), text);
        }
        assert_eq!(words.map(|text| text.split(' ').next().unwrap_or_default()), Defect::NAMES);
        assert_eq!(
            read("recovery-crash").expect("its window").to_string(),
            "recovery-crash window=10ms"
        );
    }

    #[test]
    fn what_is_no_defect_is_refused_with_those_that_there_are() {
        for (words, sentence) in [
            (
                "contxt-leak",
                "did you mean \"context-leak\"? the defects are context-leak, recovery-crash",
            ),
            ("explode", "there is no defect \"explode\"; the defects are context-leak"),
            ("poison-call", "poison-call needs the key \"number\""),
            ("poison-call number=0612345678", "poison-call: number:"),
            ("poison-call number=112 busy=many", "poison-call: busy:"),
            ("poison-call number=112 window=1s", "no key \"window\"; its keys are number, busy"),
            ("silent-lock now", "\"now\" is no KEY=VALUE"),
            ("silent-lock number=112", "silent-lock has no key \"number\"; it has none"),
            ("recovery-crash window=\"\n[sites.x]", "recovery-crash: window:"),
        ] {
            let pieces: Vec<&str> = words.split(' ').collect();
            let error = Defect::of_words(pieces[0], &pieces[1..]).expect_err(words);
            assert!(error.contains(sentence), "{words}: {error}");
        }
    }
}
