//! What an operator tells a site, in the words that an operator types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use topology::Defect;
use topology::reader::nearest;

/// The longest name of a software release.
const LONGEST_RELEASE: usize = 64;

/// One command to one site.
///
/// In files and to people it is text, [`words`]: `lock`, `disconnect mobile`, `restart clean`, `load r8`. Between processes it
/// stays what it is, so that nobody reads the text again on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Tell the state of the site. Changes nothing.
    Show,
    /// Take no new calls; those in progress go on (ITU-T X.731 §8.1.1.3, administrative state *locked*).
    Lock,
    /// Take calls again. Also ends a drain.
    Unlock,
    /// Take the links towards one trunk group out of use, or towards all of them.
    Disconnect { trunk_group: Option<String> },
    /// Bring the links towards one trunk group into use again, or towards all of them.
    Reconnect { trunk_group: Option<String> },
    /// Boot. `clean` leaves the stored configuration behind.
    Restart { clean: bool },
    /// Cut the site from pool and trunk groups. The management plane still reaches it.
    Isolate,
    /// End [`Isolate`](Self::Isolate).
    Rejoin,
    /// Take no new calls and say when the last one in progress is over.
    Drain,
    /// Load a software release.
    LoadRelease { release: String },
    /// Load the release that ran before.
    Rollback,
    /// `on`: refuse ordinary traffic, so that emergency calls have the site to themselves.
    Shed { on: bool },
    /// Refuse calls for this number.
    Block { number: String },
    /// End [`Block`](Self::Block).
    Unblock { number: String },
    /// Use the switch of its power supply, whatever the software does.
    Power(PowerSwitch),
    /// Give this command at the console of the machine, whatever the software does.
    Console(Box<Self>),
    /// No operator does it, but a tester: a latent defect is in the software that runs from now on.
    Arm { defect: Defect },
    /// The defect of this name is in it no more.
    Disarm { defect: String },
}

/// What is done at a power switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerSwitch {
    Off,
    On,
    /// Off, and on at once.
    Cycle,
}

/// Text that is no [`Action`]. Displayed as a sentence with the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseActionError(String);

/// The longest called number.
const LONGEST_NUMBER: usize = 64;

/// The longest command, in octets: two words of the longest kind, and the spaces between them.
const LONGEST_COMMAND: usize = 256;

/// The first word of each action, and how to write the whole.
const FORMS: [(&str, &str); 18] = [
    ("show", "show"),
    ("lock", "lock"),
    ("unlock", "unlock"),
    ("disconnect", "disconnect [TRUNK-GROUP]"),
    ("reconnect", "reconnect [TRUNK-GROUP]"),
    ("restart", "restart [clean]"),
    ("isolate", "isolate"),
    ("rejoin", "rejoin"),
    ("drain", "drain"),
    ("load", "load RELEASE"),
    ("rollback", "rollback"),
    ("shed", "shed ordinary|nothing"),
    ("block", "block NUMBER"),
    ("unblock", "unblock NUMBER"),
    ("power", "power off|on|cycle"),
    ("console", "console COMMAND"),
    ("arm", "arm DEFECT [KEY=VALUE…]"),
    ("disarm", "disarm DEFECT"),
];

/// Actions with a name in them, which is checked.
impl Action {
    /// [`Disconnect`](Self::Disconnect).
    ///
    /// # Errors
    /// This is no name of a trunk group.
    pub fn disconnect(trunk_group: Option<&str>) -> Result<Self, ParseActionError> {
        Ok(Self::Disconnect { trunk_group: trunk_group.map(named).transpose()? })
    }

    /// [`Reconnect`](Self::Reconnect).
    ///
    /// # Errors
    /// This is no name of a trunk group.
    pub fn reconnect(trunk_group: Option<&str>) -> Result<Self, ParseActionError> {
        Ok(Self::Reconnect { trunk_group: trunk_group.map(named).transpose()? })
    }

    /// [`LoadRelease`](Self::LoadRelease).
    ///
    /// # Errors
    /// This is no name of a release.
    pub fn load_release(release: &str) -> Result<Self, ParseActionError> {
        Ok(Self::LoadRelease { release: released(release)? })
    }
}

impl Action {
    /// [`Block`](Self::Block).
    ///
    /// # Errors
    /// This is no number that may be dialled.
    pub fn block(number: &str) -> Result<Self, ParseActionError> {
        Ok(Self::Block { number: dialled(number)? })
    }

    /// [`Unblock`](Self::Unblock).
    ///
    /// # Errors
    /// This is no number that may be dialled.
    pub fn unblock(number: &str) -> Result<Self, ParseActionError> {
        Ok(Self::Unblock { number: dialled(number)? })
    }

    /// The same command at the console of the machine.
    ///
    /// # Errors
    /// It is one that a console does not take.
    pub fn at_console(self) -> Result<Self, ParseActionError> {
        match self {
            Self::Power(_) | Self::Console(_) | Self::Arm { .. } | Self::Disarm { .. } => {
                Err(ParseActionError(format!(
                    "\"{self}\" is out of band already; a console takes the other commands"
                )))
            }
            other => Ok(Self::Console(Box::new(other))),
        }
    }

    /// Whether it uses the power supply, which works even if the machine as a whole stands still.
    #[must_use]
    pub const fn is_power(&self) -> bool {
        matches!(self, Self::Power(_))
    }
}

impl Action {
    /// Whether the site is another one afterwards. Only [`Show`](Self::Show) leaves it as it was.
    #[must_use]
    pub fn touches(&self) -> bool {
        match self {
            Self::Show => false,
            Self::Console(action) => action.touches(),
            _ => true,
        }
    }

    /// [`Arm`](Self::Arm): a defect by its name, and its keys as `number=112`.
    ///
    /// # Errors
    /// There is no such defect, or it has other keys.
    pub fn arm(name: &str, keys: &[&str]) -> Result<Self, ParseActionError> {
        let defect = Defect::of_words(name, keys).map_err(ParseActionError)?;
        Ok(Self::Arm { defect })
    }

    /// [`Disarm`](Self::Disarm).
    ///
    /// # Errors
    /// There is no such defect.
    pub fn disarm(name: &str) -> Result<Self, ParseActionError> {
        if Defect::NAMES.contains(&name) {
            return Ok(Self::Disarm { defect: name.to_owned() });
        }
        Defect::of_words(name, &[]).map_err(ParseActionError)?;
        Err(ParseActionError(format!("there is no defect {name:?}")))
    }

    /// Whether it changes what sleeps in the software, which nobody at the site sees.
    #[must_use]
    pub const fn is_latent(&self) -> bool {
        matches!(self, Self::Arm { .. } | Self::Disarm { .. })
    }

    /// Whether the names in it are names, for an action that came from outside and not as text.
    ///
    /// # Errors
    /// This is no name of a trunk group or release.
    pub fn check(&self) -> Result<(), ParseActionError> {
        match self {
            Self::Disconnect { trunk_group: Some(name) }
            | Self::Reconnect { trunk_group: Some(name) } => named(name).map(drop),
            Self::LoadRelease { release } => released(release).map(drop),
            Self::Block { number } | Self::Unblock { number } => dialled(number).map(drop),
            // What keys a defect may have is known where it is read.
            Self::Arm { .. } => self.to_string().parse::<Self>().map(drop),
            Self::Disarm { defect } => Self::disarm(defect).map(drop),
            Self::Console(action) => {
                action.check()?;
                action.as_ref().clone().at_console().map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The trunk group that the action names.
    #[must_use]
    pub fn trunk_group(&self) -> Option<&str> {
        match self {
            Self::Disconnect { trunk_group } | Self::Reconnect { trunk_group } => {
                trunk_group.as_deref()
            }
            Self::Console(action) => action.trunk_group(),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Show => f.write_str("show"),
            Self::Lock => f.write_str("lock"),
            Self::Unlock => f.write_str("unlock"),
            Self::Disconnect { trunk_group: None } => f.write_str("disconnect"),
            Self::Disconnect { trunk_group: Some(group) } => write!(f, "disconnect {group}"),
            Self::Reconnect { trunk_group: None } => f.write_str("reconnect"),
            Self::Reconnect { trunk_group: Some(group) } => write!(f, "reconnect {group}"),
            Self::Restart { clean: false } => f.write_str("restart"),
            Self::Restart { clean: true } => f.write_str("restart clean"),
            Self::Isolate => f.write_str("isolate"),
            Self::Rejoin => f.write_str("rejoin"),
            Self::Drain => f.write_str("drain"),
            Self::LoadRelease { release } => write!(f, "load {release}"),
            Self::Rollback => f.write_str("rollback"),
            Self::Shed { on: true } => f.write_str("shed ordinary"),
            Self::Shed { on: false } => f.write_str("shed nothing"),
            Self::Block { number } => write!(f, "block {number}"),
            Self::Unblock { number } => write!(f, "unblock {number}"),
            Self::Power(PowerSwitch::Off) => f.write_str("power off"),
            Self::Power(PowerSwitch::On) => f.write_str("power on"),
            Self::Power(PowerSwitch::Cycle) => f.write_str("power cycle"),
            Self::Console(action) => write!(f, "console {action}"),
            Self::Arm { defect } => write!(f, "arm {defect}"),
            Self::Disarm { defect } => write!(f, "disarm {defect}"),
        }
    }
}

impl FromStr for Action {
    type Err = ParseActionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST_COMMAND {
            let what = format!("a command has at most {LONGEST_COMMAND} octets");
            return Err(ParseActionError(what));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(match words[..] {
            ["show"] => Self::Show,
            ["lock"] => Self::Lock,
            ["unlock"] => Self::Unlock,
            ["disconnect"] => Self::disconnect(None)?,
            ["disconnect", group] => Self::disconnect(Some(group))?,
            ["reconnect"] => Self::reconnect(None)?,
            ["reconnect", group] => Self::reconnect(Some(group))?,
            ["restart"] => Self::Restart { clean: false },
            ["restart", "clean"] => Self::Restart { clean: true },
            ["isolate"] => Self::Isolate,
            ["rejoin"] => Self::Rejoin,
            ["drain"] => Self::Drain,
            ["load", release] => Self::load_release(release)?,
            ["rollback"] => Self::Rollback,
            ["shed", "ordinary"] => Self::Shed { on: true },
            ["shed", "nothing"] => Self::Shed { on: false },
            ["block", number] => Self::block(number)?,
            ["unblock", number] => Self::unblock(number)?,
            ["power", "off"] => Self::Power(PowerSwitch::Off),
            ["power", "on"] => Self::Power(PowerSwitch::On),
            ["power", "cycle"] => Self::Power(PowerSwitch::Cycle),
            ["arm", defect, ref keys @ ..] => Self::arm(defect, keys)?,
            ["disarm", defect] => Self::disarm(defect)?,
            // It may not be nested, so that hostile words end soon.
            ["console", first, ..] if first != "console" => {
                words[1..].join(" ").parse::<Self>()?.at_console()?
            }
            _ => return Err(refusal(text, &words)),
        })
    }
}

/// An [`Action`] in the words that an operator types: `#[serde(with = "operations::action_words")]`.
pub mod words {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Action;

    /// Writes `restart clean`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(action: &Action, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(action)
    }

    /// Reads `restart clean`.
    ///
    /// # Errors
    /// The text is no action.
    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Action, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// The name of a trunk group, as files write it.
fn named(group: &str) -> Result<String, ParseActionError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=32).contains(&group.len()) && group.bytes().all(allowed) {
        return Ok(group.to_owned());
    }
    Err(ParseActionError(format!(
        "{group:?} is no name of a trunk group; names have lower-case letters, digits and hyphens"
    )))
}

/// The name of a software release. It may become part of a file name, so it is kept plain.
fn released(release: &str) -> Result<String, ParseActionError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if (1..=LONGEST_RELEASE).contains(&release.len()) && release.bytes().all(allowed) {
        return Ok(release.to_owned());
    }
    Err(ParseActionError(format!(
        "{release:?} is no name of a release; names have letters, digits, dots, hyphens and \
         underscores, at most {LONGEST_RELEASE}"
    )))
}

/// A number that may be dialled.
fn dialled(number: &str) -> Result<String, ParseActionError> {
    if topology::is_dialled_number(number) && number.len() <= LONGEST_NUMBER {
        return Ok(number.to_owned());
    }
    Err(ParseActionError(format!(
        "{number:?} is no number that callers dial; write an emergency number, \"urn:service:sos\" or ten digits of a block \
         kept for fiction"
    )))
}

fn refusal(text: &str, words: &[&str]) -> ParseActionError {
    let first = words.first().copied().unwrap_or_default();
    if let Some((_, form)) = FORMS.iter().find(|(word, _)| *word == first) {
        return ParseActionError(format!("{text:?} is incomplete or too long; write {form:?}"));
    }
    let known = FORMS.iter().map(|(word, _)| *word);
    ParseActionError(match nearest(first, known) {
        Some(meant) => format!("no command is called {first:?}; did you mean {meant:?}?"),
        None => {
            let forms: Vec<&str> = FORMS.iter().map(|(_, form)| *form).collect();
            format!("no command is called {first:?}; the commands are {}", forms.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As files have it.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Written(#[serde(with = "words")] Action);

    #[test]
    fn every_command_is_written_as_it_is_read() {
        for text in [
            "show",
            "lock",
            "unlock",
            "disconnect",
            "disconnect mobile",
            "reconnect",
            "reconnect fixe-2",
            "restart",
            "restart clean",
            "isolate",
            "rejoin",
            "drain",
            "load r8.2_b",
            "rollback",
            "shed ordinary",
            "shed nothing",
            "block 196",
            "unblock urn:service:sos.fire",
            "power off",
            "power on",
            "power cycle",
            "console show",
            "console restart clean",
            "console load r8",
            "console block 196",
            "arm context-leak",
            "arm recovery-crash window=20ms",
            "arm poison-call number=112 busy=3",
            "arm counter-ceiling numbers=15,112 ceiling=100",
            "disarm silent-lock",
        ] {
            let action: Action = text.parse().expect(text);
            assert_eq!(action.to_string(), text);
            assert_eq!(action.touches(), !text.ends_with("show"));
            let json = serde_json::to_string(&Written(action.clone())).expect("an action is text");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(
                serde_json::from_str::<Written>(&json).expect(text),
                Written(action.clone())
            );
            let json = serde_json::to_string(&action).expect("an action is JSON");
            assert_eq!(serde_json::from_str::<Action>(&json).expect(text), action);
            assert_eq!(action.check(), Ok(()));
        }
        assert_eq!("  restart   clean ".parse(), Ok(Action::Restart { clean: true }));
    }

    #[test]
    fn a_slip_is_answered_with_the_command_that_was_meant() {
        let refused = |text: &str| text.parse::<Action>().expect_err(text).to_string();
        let meant = "no command is called \"unlok\"; did you mean \"unlock\"?";
        assert_eq!(refused("unlok"), meant);
        assert!(refused("explode").contains("the commands are show, lock, unlock, "));
        assert!(refused("").contains("no command is called \"\"; the commands are"));
        let form = "\"load\" is incomplete or too long; write \"load RELEASE\"";
        assert_eq!(refused("load"), form);
        assert!(refused("power cut").contains("write \"power off|on|cycle\""));
        assert!(refused("console").contains("write \"console COMMAND\""));
        assert!(refused("console console show").contains("write \"console COMMAND\""));
        assert!(refused("console power off").contains("out of band already"));
        assert!(refused("console unlok").contains("did you mean \"unlock\"?"));
        assert!(refused("block 0612345678").contains("is no number that callers dial"));
        assert!(refused("shed emergency").contains("write \"shed ordinary|nothing\""));
        assert!(refused("arm explode").contains("the defects are context-leak, "));
        assert!(refused("disarm silnt-lock").contains("did you mean \"silent-lock\"?"));
        assert!(refused("arm").contains("write \"arm DEFECT [KEY=VALUE…]\""));
        assert!(refused("console arm silent-lock").contains("out of band already"));
        assert!(refused("lock alpha").contains("write \"lock\""));
    }

    #[test]
    fn names_that_no_file_could_hold_are_refused() {
        for text in ["disconnect Mobile", "reconnect ../x", "load ../../etc", "load r8;reboot"] {
            let refusal = text.parse::<Action>().expect_err(text).to_string();
            assert!(refusal.contains("is no name of a"), "{refusal}");
        }
        assert!(serde_json::from_str::<Written>("\"format\"").is_err());
        assert!(serde_json::from_str::<Action>("\"format\"").is_err());
        let release = |name: &str| Action::LoadRelease { release: name.to_owned() };
        assert!(release("../../etc").check().is_err() && release("r8").check().is_ok());
        let poison = Defect::PoisonCall { number: "0612345678".to_owned(), busy: 0 };
        assert!(Action::Arm { defect: poison }.check().is_err());
        let nested = Action::Console(Box::new(Action::Console(Box::new(Action::Show))));
        assert!(nested.check().is_err());
        let links = |name: &str| Action::Disconnect { trunk_group: Some(name.to_owned()) };
        assert!(links("Mobile").check().is_err() && links("mobile").check().is_ok());
    }
}
