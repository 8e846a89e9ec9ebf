//! Figures of a comparison against the campaign that asks for them.

use std::time::Duration;

use operations::supervision::department;
use topology::reader::Document;

use crate::campaign::Campaign;
use crate::figure::ComparedFigure;
use crate::measure::Measure;

/// The campaign itself among its variants.
const BASE: &str = "base";

impl Campaign {
    /// Reports figures that cannot mean what they say.
    pub(super) fn check_figures(&self, document: &Document) {
        let communes = self.communes();
        let departments: Vec<&str> = communes.iter().map(|one| department(Some(one))).collect();
        for (index, figure) in self.figures.iter().enumerate() {
            let ComparedFigure { measure, selection, of, .. } = figure;
            let report = |key: &str, message: String| {
                document.report(&format!("figures[{index}].{key}"), message);
            };
            let asked = [
                ("trunk_groups", !selection.trunk_groups.is_empty()),
                ("departments", !selection.departments.is_empty()),
                ("numbers", !selection.numbers.is_empty()),
                ("psaps", !selection.psaps.is_empty()),
                ("window", selection.window.is_some()),
            ];
            for (key, _) in asked.into_iter().filter(|(_, is_asked)| *is_asked) {
                if !measure.counts() {
                    let message = format!(
                        "{} counts no calls, so it has no {key}; leave it away",
                        measure.name()
                    );
                    report(key, message);
                } else if key == "psaps" && *measure != Measure::Arrivals {
                    let message = "only measure = \"arrivals\" is counted at answering points; \
                                   leave it away, or ask for departments";
                    report(key, message.to_owned());
                }
            }
            if let Some(window) = selection.window
                && !self.phases.is_empty()
                && window.within(self.begins, self.duration()).is_none()
            {
                let end = self.begins + self.duration();
                let message = format!(
                    "{window} is outside of the campaign, which goes from {} to {}; begins = \"HH:MM\" \
                     is its time of day",
                    clock(self.begins),
                    clock(end)
                );
                report("window", message);
            }
            for (place, name) in selection.departments.iter().enumerate() {
                if !communes.is_empty() && !departments.contains(&&name[..]) && name != "unknown" {
                    let message = format!("nobody calls from département {name:?}");
                    report(&format!("departments[{place}]"), message);
                }
            }
            if let Some(of) = of {
                if !measure.counts() {
                    let message = format!("{} is no share of another run's", measure.name());
                    report("of", message);
                } else if of != BASE && !self.variants.iter().any(|one| one.name == *of) {
                    let known: Vec<&str> = std::iter::once(BASE)
                        .chain(self.variants.iter().map(|one| &one.name[..]))
                        .collect();
                    let message =
                        format!("no variant is called {of:?}; there are {}", known.join(", "));
                    report("of", message);
                }
            }
        }
    }
}

fn clock(at: Duration) -> String {
    let minutes = at.as_secs() / 60;
    format!("{}:{:02}", minutes / 60 % 24, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_cannot_mean_what_it_says_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("campaign.toml");
        let refused = |figure: &str| {
            let text = format!(
                "network = \"n.toml\"\nbegins = \"16:40\"\n[[mix]]\nnumber = \"15\"\ncommunes = [\"59350\"]\n\
                 [[phases]]\nname = \"one\"\nduration = \"1h\"\narrivals = {{ model = \"constant\", rate = 1 }}\n\
                 [[figures]]\nname = \"f\"\n{figure}"
            );
            std::fs::write(&path, text).expect("a writable folder");
            Campaign::load(&path, &topology::Layers::none()).err().map(|it| it.to_string())
        };
        assert_eq!(
            refused("measure = \"attempts\"\nwindow = \"16:30-17:00\"\nof = \"base\""),
            None
        );
        for (figure, why) in [
            (
                "measure = \"attempts\"\nwindow = \"18:00-19:00\"",
                "outside of the campaign, which goes from 16:40 to 17:40",
            ),
            ("measure = \"attempts\"\nwindow = \"25:00-19:00\"", "must be two times of day"),
            (
                "measure = \"detected\"\nwindow = \"16:30-17:00\"",
                "detected counts no calls, so it has no window",
            ),
            (
                "measure = \"cut\"\npsaps = [\"samu-59\"]",
                "only measure = \"arrivals\" is counted at answering points",
            ),
            ("measure = \"cut\"\ndepartments = [\"75\"]", "nobody calls from département \"75\""),
            (
                "measure = \"arrivals\"\nof = \"quiet\"",
                "no variant is called \"quiet\"; there are base",
            ),
            ("measure = \"recovered\"\nof = \"base\"", "recovered is no share of another run's"),
            ("measure = \"cut\"\nplausible = [2, 1]", "must be [LOW, HIGH], got [2, 1]"),
        ] {
            let told = refused(figure).unwrap_or_else(|| panic!("{figure} is taken"));
            assert!(told.contains(why), "{figure}: {told}");
        }
    }
}
