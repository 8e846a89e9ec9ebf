//! Regions: the parts of the country whose callers prefer some sites.

use crate::number::is_commune_prefix;
use crate::reader::{Raw, Table, kind};
use crate::site::{Site, known_site};

/// Some départements, and the sites that trunk groups with the policy `affinity` prefer for their callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    pub name: String,
    /// At least one, as INSEE codes begin: `59`, `2A`, `974`.
    pub departments: Vec<String>,
    /// Names of sites, at least one. They take the calls in turn.
    pub sites: Vec<String>,
}

impl Region {
    pub(crate) fn read(table: &Table<'_>, sites: &[Site]) -> Self {
        Self {
            name: table.name().to_owned(),
            departments: table.required_list("departments", department),
            sites: table.required_list("sites", |raw| known_site(kind::name(raw)?, sites)),
        }
    }

    /// Whether `commune`, an INSEE code, is in it.
    #[must_use]
    pub fn has(&self, commune: &str) -> bool {
        self.departments.iter().any(|department| commune.starts_with(&department[..]))
    }
}

/// Two characters, three overseas, where two are not enough.
fn department(raw: Raw<'_>) -> Result<String, String> {
    let is_overseas = |code: &str| code.starts_with("97") || code.starts_with("98");
    match kind::text(raw) {
        Ok(code)
            if is_commune_prefix(&code) && code.len() == 2 + usize::from(is_overseas(&code)) =>
        {
            Ok(code)
        }
        _ => Err(format!(
            "must be a département as in INSEE codes (\"59\", \"2A\", \"974\"), got {raw}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_the_communes_of_its_departments() {
        let departments = ["59", "2A", "974"].map(str::to_owned).to_vec();
        let region = Region { name: "far".to_owned(), departments, sites: Vec::new() };
        for (commune, is_there) in [
            ("59350", true),
            ("2A004", true),
            ("97411", true),
            ("97209", false),
            ("75056", false),
            ("", false),
        ] {
            assert_eq!(region.has(commune), is_there, "{commune}");
        }
    }
}
