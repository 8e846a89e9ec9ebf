//! What a filter may compare: one list for `tocsin show --where` and `tocsin watch --filter`.

/// What is known of a call that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Its row among the attempts of a run.
    Run,
    /// Its messages.
    Messages,
}

/// Something that may be compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub is_number: bool,
    /// The columns of a run's attempts that have it, or what is made of them; several where any of them may be meant.
    pub columns: &'static [&'static str],
    /// Whether messages tell it.
    pub is_in_messages: bool,
    /// Whether it names boxes: `alpha` means `alpha.1` too, since a blade belongs to its site.
    pub names_boxes: bool,
}

impl Field {
    const fn text(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, is_number: false, columns, is_in_messages: false, names_boxes: false }
    }

    const fn number(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { is_number: true, ..Self::text(name, columns) }
    }

    const fn boxes(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { is_in_messages: true, names_boxes: true, ..Self::text(name, columns) }
    }

    const fn seen(self) -> Self {
        Self { is_in_messages: true, ..self }
    }

    /// Whether this is known there.
    #[must_use]
    pub const fn is_known(&self, scope: Scope) -> bool {
        match scope {
            Scope::Run => !self.columns.is_empty(),
            Scope::Messages => self.is_in_messages,
        }
    }

    /// The field of this name, whatever its case.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        let name = name.to_ascii_lowercase().replace('-', "_");
        FIELDS.iter().find(|field| field.name == name)
    }
}

/// All of them.
pub const FIELDS: &[Field] = &[
    Field::text("number", &["number"]).seen(),
    Field::boxes("site", &["site"]),
    Field::boxes("psap", &["psap"]),
    Field::boxes("trunk_group", &["trunk_group"]),
    Field::boxes("box", &["site", "psap", "trunk_group", "generator"]),
    Field::number("status", &["status"]).seen(),
    // In seconds.
    Field::number("duration", &["(end_us - start_us) / 1000000"]).seen(),
    Field::text("call_id", &["call_id"]).seen(),
    Field::text("method", &[]).seen(),
    Field::text("from", &[]).seen(),
    Field::text("to", &[]).seen(),
    Field::text("state", &[]).seen(),
    Field::number("messages", &[]).seen(),
    Field::text("attempt", &["attempt"]),
    Field::number("caller", &["caller"]),
    Field::number("nth", &["nth"]),
    Field::text("class", &["class"]),
    Field::text("commune", &["commune"]),
    Field::text("department", &["department"]),
    Field::text("outcome", &["outcome"]),
    Field::number("cause", &["cause"]),
    Field::text("ended_by", &["ended_by"]),
    Field::text("reason", &["reason"]),
    Field::text("why", &["why"]),
    Field::number("intended_us", &["intended_us"]),
    Field::number("start_us", &["start_us"]),
    Field::number("ring_us", &["ring_us"]),
    Field::number("answer_us", &["answer_us"]),
    Field::number("end_us", &["end_us"]),
    Field::number("lag_us", &["lag_us"]),
    Field::number("pdd_us", &["pdd_us"]),
    Field::number("setup_us", &["setup_us"]),
    Field::number("talk_us", &["talk_us"]),
    Field::text("caller_saw", &["caller_saw"]),
    Field::text("lost_in", &["lost_in"]),
    Field::text("lost_why", &["lost_why"]),
    Field::text("contradiction", &["contradiction"]),
    Field::text("heard_by_caller", &["heard_by_caller"]),
    Field::text("heard_by_psap", &["heard_by_psap"]),
    Field::number("mos_of_caller", &["mos_of_caller"]),
    Field::number("mos_of_psap", &["mos_of_psap"]),
    Field::number("lost_packets", &["lost_packets"]),
    Field::text("generator", &["generator"]),
];

/// The names of those that are known there, for whoever guessed wrong.
pub(super) fn known_names(scope: Scope) -> String {
    let known = FIELDS.iter().filter(|field| field.is_known(scope));
    known.map(|field| field.name).collect::<Vec<_>>().join(", ")
}
