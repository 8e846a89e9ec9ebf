//! Routes: from the dialled number and the caller's commune to PSAPs.

use std::collections::HashMap;

use crate::number::{SOS, is_commune_prefix, is_dialled_number, refusal};
use crate::reader::{Raw, Table, kind};

/// The prefix of every commune, also of an unknown one.
pub(crate) const EVERYWHERE: &str = "*";

/// Where calls for some numbers from some communes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Dialled numbers, matched whole: 112 is not 0112.
    pub numbers: Vec<String>,
    /// INSEE codes or their beginnings: `59350`, `59`, `2A`. `*` is every commune.
    pub communes: Vec<String>,
    /// Names of PSAPs in order of preference.
    pub psaps: Vec<String>,
}

impl Route {
    pub(crate) fn read(table: &Table<'_>) -> Self {
        let communes = match table.has("communes") {
            true => table.required_list("communes", commune_prefix),
            false => vec![EVERYWHERE.to_owned()],
        };
        Self {
            numbers: table.required_list("numbers", dialled_number),
            communes,
            psaps: table.required_list("psaps", kind::name),
        }
    }
}

/// All routes of a network, ready for look-up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    routes: Vec<Route>,
    /// Number → (commune prefix, index into `routes`), longest prefix first.
    by_number: HashMap<String, Vec<(String, usize)>>,
}

impl Routes {
    pub(crate) fn new(routes: Vec<Route>) -> Self {
        let mut by_number: HashMap<String, Vec<(String, usize)>> = HashMap::new();
        for (index, route) in routes.iter().enumerate() {
            for number in &route.numbers {
                let entries = by_number.entry(number.clone()).or_default();
                entries.extend(route.communes.iter().map(|prefix| {
                    let prefix = if prefix == EVERYWHERE { "" } else { prefix };
                    (prefix.to_owned(), index)
                }));
            }
        }
        for entries in by_number.values_mut() {
            entries.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        }
        Self { routes, by_number }
    }

    /// The route for `number` dialled in `commune`, an INSEE code.
    ///
    /// The longest commune prefix wins; an unknown or missing commune takes the route for `*`.
    /// A sub-service without a route of its own takes that of the service around it:
    /// `urn:service:sos.fire` falls back to `urn:service:sos` (RFC 5031 §4.2).
    #[must_use]
    pub fn find(&self, number: &str, commune: Option<&str>) -> Option<&Route> {
        let commune = commune.unwrap_or_default();
        let mut number = number;
        // Service URNs are compared without regard to case (RFC 5031 §3).
        let lower;
        if number.get(..SOS.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SOS)) {
            lower = number.to_ascii_lowercase();
            number = &lower;
        }
        loop {
            let entries = self.by_number.get(number).into_iter().flatten();
            if let Some((_, index)) =
                entries.into_iter().find(|(prefix, _)| commune.starts_with(&prefix[..]))
            {
                return self.routes.get(*index);
            }
            number = parent_service(number)?;
        }
    }

    /// The routes in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }
}

/// `urn:service:sos` of `urn:service:sos.fire`. Only service URNs have a service around them.
fn parent_service(number: &str) -> Option<&str> {
    let (service, _) = number.rsplit_once('.')?;
    service.starts_with(SOS).then_some(service)
}

fn dialled_number(raw: Raw<'_>) -> Result<String, String> {
    let number = kind::text(raw)?;
    if is_dialled_number(&number) { Ok(number) } else { Err(refusal(&number)) }
}

fn commune_prefix(raw: Raw<'_>) -> Result<String, String> {
    match kind::text(raw) {
        Ok(prefix) if prefix == EVERYWHERE || is_commune_prefix(&prefix) => Ok(prefix),
        _ => Err(format!(
            "can never match a commune; write an INSEE code (\"59350\"), its beginning (\"59\", \
             \"2A\") or \"*\", got {raw}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(lines: &[(&str, &[&str], &str)]) -> Routes {
        let route = |(number, communes, psap): &(&str, &[&str], &str)| Route {
            numbers: vec![(*number).to_owned()],
            communes: communes.iter().map(|&prefix| prefix.to_owned()).collect(),
            psaps: vec![(*psap).to_owned()],
        };
        Routes::new(lines.iter().map(route).collect())
    }

    fn psap<'r>(routes: &'r Routes, number: &str, commune: Option<&str>) -> Option<&'r str> {
        routes.find(number, commune).map(|route| &route.psaps[0][..])
    }

    #[test]
    fn the_longest_commune_prefix_wins_whatever_the_order() {
        let routes = routes(&[
            ("15", &["*"], "default"),
            ("15", &["59"], "nord"),
            ("15", &["59350", "2A"], "lille"),
            ("15", &["593"], "middle"),
        ]);
        assert_eq!(psap(&routes, "15", Some("59350")), Some("lille"));
        assert_eq!(psap(&routes, "15", Some("59351")), Some("middle"));
        assert_eq!(psap(&routes, "15", Some("59001")), Some("nord"));
        assert_eq!(psap(&routes, "15", Some("2A004")), Some("lille"));
        assert_eq!(psap(&routes, "15", Some("2B033")), Some("default"));
        assert_eq!(psap(&routes, "15", Some("nonsense")), Some("default"));
        assert_eq!(psap(&routes, "15", None), Some("default"));
    }

    // A parser that looks for "112" anywhere in the number sends 0112 to the emergency services.
    #[test]
    fn numbers_match_whole() {
        let routes = routes(&[("112", &["*"], "emergency")]);
        assert_eq!(psap(&routes, "112", None), Some("emergency"));
        for number in ["0112", "1120", "11", "112.1", "", "+33112"] {
            assert_eq!(psap(&routes, number, None), None, "{number}");
        }
    }

    // RFC 5031 §4.2: a sub-service is a refinement of the service around it.
    #[test]
    fn a_sub_service_falls_back_to_the_service_around_it() {
        let routes = routes(&[
            ("urn:service:sos", &["*"], "any"),
            ("urn:service:sos.fire", &["75"], "fire"),
        ]);
        assert_eq!(psap(&routes, "urn:service:sos.fire", Some("75056")), Some("fire"));
        assert_eq!(psap(&routes, "urn:service:sos.fire", Some("59350")), Some("any"));
        assert_eq!(psap(&routes, "urn:service:sos.police", Some("75056")), Some("any"));
        assert_eq!(psap(&routes, "URN:service:SOS.Fire", Some("75056")), Some("fire"));
        assert_eq!(psap(&routes, "urn:service:counseling", None), None);
    }

    #[test]
    fn without_a_default_an_unknown_commune_has_no_route() {
        let routes = routes(&[("17", &["59"], "nord")]);
        assert_eq!(psap(&routes, "17", Some("75056")), None);
        assert_eq!(psap(&routes, "17", None), None);
    }
}
