use super::*;

fn refused(text: &str, scope: Scope) -> String {
    Condition::parse(text, scope).expect_err(text).to_string()
}

#[test]
fn conditions_are_read_with_their_precedence() {
    let read = |text| Condition::parse(text, Scope::Run).expect("a filter");
    let Condition::Or(parts) = read("site = Gamma and status >= 500 or not psap ~ '59'") else {
        panic!("or binds least")
    };
    let [Condition::And(both), Condition::Not(_)] = &parts[..] else { panic!("{parts:?}") };
    let [Condition::Text { field, value, .. }, Condition::Number { sign, .. }] = &both[..] else {
        panic!("{both:?}")
    };
    assert_eq!((field.name, &value[..], *sign), ("site", "gamma", NumberSign::AtLeast));
    assert_eq!(read(""), Condition::Always(true));
    assert_eq!(read("TRUE"), Condition::Always(true));
    assert_eq!(read("'true'"), Condition::Word("true".to_owned()));
    let Condition::Text { value, .. } = read("why = 'it''s \"so\"'") else { panic!("a text") };
    assert_eq!(value, "it's \"so\"");
}

#[test]
fn what_is_no_filter_is_refused_with_what_there_is() {
    let said = refused("color = red", Scope::Run);
    assert!(said.starts_with("there is no field \"color\": the fields are number, site"), "{said}");
    assert!(said.contains("pdd_us") && !said.contains("messages"), "{said}");
    let said = refused("pdd_us > 5", Scope::Messages);
    assert!(said.starts_with("pdd_us is told by the attempts of a run"), "{said}");
    assert!(refused("method = BYE", Scope::Run).starts_with("method is told by messages"));
    assert_eq!(refused("status = high", Scope::Run), "status is a number, and \"high\" is none");
    assert!(refused("status > nan", Scope::Run).contains("is none"));
    assert!(refused("site > a", Scope::Run).starts_with("site is a text"));
    for text in ["site =", "and", "site = a b =", "(site = a", "'x", "= 5"] {
        Condition::parse(text, Scope::Run).expect_err(text);
    }
    assert_eq!(Condition::parse(&"(".repeat(40), Scope::Run), Err(FilterError::Deep));
    assert_eq!(Condition::parse(&"a ".repeat(4_000), Scope::Run), Err(FilterError::Long));
}

#[test]
fn what_is_not_known_is_unequal_to_everything() {
    assert!(NumberSign::Unequal.holds(None, 3.0) && !NumberSign::Less.holds(None, 3.0));
    assert!(NumberSign::AtMost.holds(Some(3.0), 3.0) && !NumberSign::Equal.holds(Some(2.0), 3.0));
}
