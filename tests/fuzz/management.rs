//! Orders to the management plane, and the words that operators type.

use cli::manage::{CommandPlan, CommandRequest, ManagedCallServer};
use operations::Action;

use crate::seeds::assert_sentence;

fn members() -> Vec<ManagedCallServer> {
    let member =
        |(name, site): (&str, &str)| ManagedCallServer { name: name.into(), site: site.into() };
    [("alpha", "alpha"), ("beta.a", "beta"), ("beta.b", "beta")].map(member).into()
}

/// An order is refused with a sentence, or names call servers that exist, each once. What was asked reads the same when it has
/// been written.
pub(crate) fn order(input: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<CommandRequest>(input) {
        let text = serde_json::to_vec(&request).expect("a request can be written");
        assert_eq!(
            serde_json::from_slice::<CommandRequest>(&text).expect("what was written"),
            request
        );
    }
    match CommandPlan::read(input, members()) {
        Err(sentence) => assert_sentence(&sentence),
        Ok(plan) => {
            let mut names: Vec<_> =
                plan.steps().iter().flatten().map(|one| one.name.clone()).collect();
            assert!(!names.is_empty() && plan.steps().iter().all(|step| !step.is_empty()));
            assert!(plan.steps().iter().flatten().all(|one| members().contains(one)));
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "a call server that gets a command twice");
            reads_back(plan.action());
        }
    }
}

/// A command that can be read is shown as it can be read.
pub(crate) fn words(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    match text.parse::<Action>() {
        Err(error) => assert_sentence(&error.to_string()),
        Ok(action) => reads_back(&action),
    }
}

fn reads_back(action: &Action) {
    let shown = action.to_string();
    assert_sentence(&shown);
    assert_eq!(shown.parse::<Action>().as_ref(), Ok(action), "{shown}");
    assert_eq!(action.check(), Ok(()));
    let text = serde_json::to_string(action).expect("an action can be written");
    assert_eq!(&serde_json::from_str::<Action>(&text).expect("what was written"), action);
}
