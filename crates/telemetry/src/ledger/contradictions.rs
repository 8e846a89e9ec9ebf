//! How records contradict each other.

/// Sentences kept; the others are only counted.
const SENTENCES_KEPT: usize = 20;

/// Counts contradictions and keeps the first few.
#[derive(Debug, Clone, Default)]
pub(super) struct Contradictions {
    count: u64,
    sentences: Vec<String>,
}

impl Contradictions {
    /// The sentence is only made when it will be kept.
    pub(super) fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.count += 1;
        if self.sentences.len() < SENTENCES_KEPT {
            self.sentences.push(sentence());
        }
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.count += other.count;
        let room = SENTENCES_KEPT - self.sentences.len();
        self.sentences.extend(other.sentences.into_iter().take(room));
    }

    /// How many there are, and the first sentences.
    pub(super) fn into_parts(self) -> (u64, Vec<String>) {
        (self.count, self.sentences)
    }

    pub(super) fn first(&self) -> Option<&str> {
        self.sentences.first().map(String::as_str)
    }
}
