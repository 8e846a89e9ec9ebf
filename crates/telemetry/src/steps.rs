//! Counts by the number of a step, of which most are nought.
//!
//! ```text
//!   step     0 … 127    128 … 255    256 … 383   …
//!   page        ●            –            ●
//! ```
//!
//! Only pages on which something was counted exist. A copy shares them, and whoever counts on has a page of its own from then
//! on, so that a snapshot costs what has changed since the one before.

use std::sync::Arc;

/// Steps of a page.
const PAGE: usize = 128;

type Page = [u64; PAGE];

/// How often each step was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps {
    pages: Vec<Option<Arc<Page>>>,
}

impl Steps {
    /// Counts a step so many times.
    pub(crate) fn add(&mut self, step: usize, count: u64) {
        if count == 0 {
            return;
        }
        let page = step / PAGE;
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Arc::new([0; PAGE]));
        let place = &mut Arc::make_mut(page)[step % PAGE];
        *place = place.saturating_add(count);
    }

    /// Each step that was counted, and how often, from the first.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (u64, u64)> {
        let pages = (0..).step_by(PAGE).zip(&self.pages);
        let pages = pages.filter_map(|(first, page)| Some((first, page.as_deref()?)));
        let steps = pages.flat_map(|(first, page)| (first..).zip(page.iter().copied()));
        steps.filter(|(_, count)| *count > 0)
    }

    /// What was counted since it was `before`; `None` if it never was.
    pub(crate) fn since(&self, before: &Self) -> Option<Self> {
        let mut since = Self::default();
        for number in 0..self.pages.len().max(before.pages.len()) {
            let (now, then) = (self.page(number), before.page(number));
            if std::ptr::eq(now, then) {
                continue;
            }
            for (place, (now, then)) in now.iter().zip(then).enumerate() {
                since.add(number * PAGE + place, now.checked_sub(*then)?);
            }
        }
        Some(since)
    }

    fn page(&self, number: usize) -> &Page {
        static EMPTY: Page = [0; PAGE];
        self.pages.get(number).and_then(Option::as_deref).unwrap_or(&EMPTY)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_copy_keeps_what_it_had_and_shares_what_has_not_changed() {
        let mut steps = Steps::default();
        [5, PAGE * 3, PAGE * 3 + 1].iter().for_each(|step| steps.add(*step, 1));
        let copy = steps.clone();
        steps.add(PAGE * 3, 1);
        let is_shared = |number: usize| std::ptr::eq(steps.page(number), copy.page(number));
        assert_eq!([0, 1, 2, 3].map(is_shared), [true, true, true, false]);
        let far = PAGE as u64 * 3;
        assert_eq!(copy.counted().collect::<Vec<_>>(), [(5, 1), (far, 1), (far + 1, 1)]);
        assert_eq!(steps.counted().collect::<Vec<_>>(), [(5, 1), (far, 2), (far + 1, 1)]);
    }

    #[test]
    fn what_was_counted_and_is_no_more_was_never_so() {
        let (mut near, mut far) = (Steps::default(), Steps::default());
        near.add(1, 1);
        far.add(PAGE * 9, 1);
        assert_eq!(near.since(&far), None);
        assert_eq!(far.since(&near), None);
        assert_eq!(near.since(&near.clone()), Some(Steps::default()));
    }

    proptest! {
        #[test]
        fn it_counts_as_a_map_does(
            before in prop::collection::vec((0..5 * PAGE, 0_u64..3), 0..40),
            after in prop::collection::vec((0..5 * PAGE, 0_u64..3), 0..40),
        ) {
            let fill = |steps: &mut Steps, counts: &[(usize, u64)]| {
                let mut map = BTreeMap::new();
                for (step, count) in counts {
                    steps.add(*step, *count);
                    *map.entry(*step as u64).or_insert(0) += count;
                }
                map.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
            };
            let mut steps = Steps::default();
            let wanted = fill(&mut steps, &before);
            prop_assert_eq!(steps.counted().collect::<Vec<_>>(), wanted);
            let old = steps.clone();
            let wanted = fill(&mut steps, &after);
            let since = steps.since(&old).expect("it was so");
            prop_assert_eq!(since.counted().collect::<Vec<_>>(), wanted);
        }
    }
}
