//! Every mistake of a file is reported at once, with its line and the fix.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use topology::{Layers, Problems, Topology};

fn problems(text: &str) -> Problems {
    Topology::parse("net.toml", text, &Layers::none()).expect_err("the file has mistakes")
}

/// A good network, in which `find` becomes `replace`.
fn spoilt(find: &str, replace: &str) -> String {
    let good = include_str!("data/good.toml");
    assert!(good.contains(find), "{find:?} is not in good.toml");
    problems(&good.replacen(find, replace, 1)).to_string()
}

#[test]
fn the_good_file_has_no_mistake() {
    let network =
        Topology::parse("good.toml", include_str!("data/good.toml"), &Layers::none()).unwrap();
    let names: Vec<_> = network.call_servers().map(|c| &c.name[..]).collect();
    assert_eq!(names, ["zeta", "alpha.blade-2", "alpha.blade-1"], "in the order of the file");
    assert_eq!(network.name, "good");
    let [mobile] = &network.trunk_groups[..] else { panic!("one trunk group") };
    let circuits: Vec<_> =
        mobile.members.iter().map(|m| (&m.site[..], m.circuits, m.weight)).collect();
    assert_eq!(circuits, [("zeta", 10, 1), ("alpha", 5, 2), ("alpha", 5, 2)]);
    assert_eq!(network.sites[1].call_servers[0].max_calls, 50);
    assert_eq!(network.sites[1].call_servers[1].max_calls, 70);
}

#[test]
fn ten_mistakes_are_reported_together_in_the_order_of_the_file() {
    let found = problems(include_str!("data/ten_mistakes.toml"));
    let lines: Vec<_> =
        found.0.iter().map(|problem| (problem.line.unwrap(), &problem.key[..])).collect();
    assert_eq!(
        lines,
        [
            (1, "timers.t1"),
            (4, "sites.alpha.address"),
            (6, "sites.beta"),
            (10, "trunk_groups.mobile.circuits"),
            (11, "trunk_groups.mobile"),
            (16, "psaps.samu-59.number"),
            (18, "psaps.samu-59.ring"),
            (20, "psaps.samu-75"),
            (27, "routes[0].psaps"),
            (29, "routes[1]"),
        ],
        "{found}"
    );
    assert_eq!(found.to_string().lines().count(), 10);
}

#[test]
fn twenty_mistakes_are_told_and_the_others_are_counted() {
    use std::fmt::Write as _;
    let mut text = include_str!("data/good.toml").to_owned();
    for number in 0..5_000 {
        write!(text, "\n[site_{number}]").unwrap();
    }
    let found = problems(&text);
    assert_eq!(found, problems(&text), "the same ones each time");
    let (last, told) = found.0.split_last().unwrap();
    assert!(told.len() == 20 && told.is_sorted() && told.iter().all(|one| one.line.is_some()));
    assert_eq!(last.to_string(), "net.toml: and 4980 more mistakes");
}

// Each of these tables lacks what it needs: after threescore nobody wants to know about the others.
#[test]
fn a_file_of_nothing_but_bad_tables_is_not_read_to_its_end() {
    use std::fmt::Write as _;
    for table in ["sites.s#", "trunk_groups.t#", "psaps.p#"] {
        let mut text = String::new();
        for number in 0..5_000 {
            writeln!(text, "[{}]", table.replace('#', &number.to_string())).unwrap();
        }
        let found = problems(&text);
        assert_eq!(found, problems(&text), "the same ones each time");
        let (last, told) = found.0.split_last().unwrap();
        assert_eq!(told.len(), 20, "{table}");
        let sentence = last.to_string();
        let count = sentence.strip_prefix("net.toml: and at least ").unwrap();
        let count: usize = count.strip_suffix(" more mistakes").unwrap().parse().unwrap();
        assert!((40..5_000).contains(&count), "{sentence}");
    }
}

#[test]
fn a_message_has_file_line_key_value_and_range() {
    let found = spoilt("circuits = 10", "circuits = 0");
    assert_eq!(found, "net.toml:17: trunk_groups.mobile.circuits: must be 1..=10000, got 0");
}

#[test]
fn an_unknown_key_is_met_with_the_one_that_was_meant() {
    let found = spoilt("circuits = 10", "circuit = 10");
    assert_eq!(
        found,
        "net.toml:17: trunk_groups.mobile: unknown key \"circuit\"; did you mean \"circuits\"?"
    );
    let found = spoilt("circuits = 10", "colour = 10");
    assert!(found.contains("unknown key \"colour\"; the keys here are "), "{found}");
}

#[test]
fn a_psap_that_does_not_exist_is_met_with_those_that_do() {
    let found = spoilt("psaps = [\"samu-59\"", "psaps = [\"samu-95\"");
    assert_eq!(
        found,
        "net.toml:39: routes[0].psaps: no PSAP is called \"samu-95\"; \
         the PSAPs are samu-59, samu-75"
    );
}

#[test]
fn a_psap_that_no_route_reaches_is_a_mistake() {
    let found = spoilt("when_full = \"redirect samu-75\"\n", "");
    assert_eq!(
        found,
        "net.toml:29: psaps.samu-75: no route reaches this PSAP; \
         add \"samu-75\" to the psaps of a route, or remove it"
    );
}

#[test]
fn a_route_that_can_never_match_is_a_mistake() {
    let route = "[[routes]]\nnumbers = [\"112\"]\ncommunes = [\"59\"]\npsaps = [\"samu-75\"]\n";
    let good = include_str!("data/good.toml");
    let found = problems(&format!("{good}{route}")).to_string();
    assert!(found.contains("routes[1]: can never match: routes[0] takes the same"), "{found}");
    let found = spoilt("communes = [\"59\", \"2A\"]", "communes = [\"59\", \"20\"]");
    assert!(found.contains("routes[0].communes[1]: can never match a commune"), "{found}");
}

#[test]
fn two_boxes_at_one_address_are_a_mistake_unless_the_system_chooses_the_port() {
    let found = spoilt("127.0.0.31:5060", "127.0.0.21:5060");
    assert!(
        found.contains(
            "psaps.samu-59.address: 127.0.0.21:5060 is already the address of trunk group"
        ),
        "{found}"
    );
    let ports =
        include_str!("data/good.toml").replace(":5060", ":0").replace("127.0.0.31", "127.0.0.21");
    Topology::parse("net.toml", &ports, &Layers::none()).unwrap();
}

#[test]
fn two_boxes_of_one_name_are_a_mistake() {
    let found = spoilt("[trunk_groups.mobile]", "[trunk_groups.zeta]");
    assert_eq!(
        found,
        "net.toml:15: trunk_groups.zeta: sites.zeta has this name too; give each box its own name"
    );
}

#[test]
fn numbers_are_fictitious_and_each_is_of_one_psap() {
    let found = spoilt("0353010015", "0320445962");
    assert!(
        found.contains("may belong to somebody; use a number of a fiction block: 01 99 00"),
        "{found}"
    );
    let found = spoilt("0199000015", "0353010015");
    assert!(found.contains("0353010015 is already the number of PSAP \"samu-59\""), "{found}");
    let found = spoilt("\"15\", \"112\"", "\"15\", \"0112\"");
    assert!(
        found.contains("routes[0].numbers[1]: \"0112\" is no number that can be routed"),
        "{found}"
    );
}

#[test]
fn each_kind_of_value_says_what_it_must_be() {
    for (find, replace, message) in [
        ("t1 = \"250ms\"", "t1 = 250", "timers.t1: must be a duration in quotes"),
        ("t1 = \"250ms\"", "t1 = \"5s\"", "timers.t2: must not be shorter than t1"),
        ("positions = 3", "positions = \"3\"", "positions: must be 1..=10000, got \"3\""),
        ("positions = 3", "", "psaps.samu-59: needs the key \"positions\""),
        ("sticky", "random", "policy: must be \"weighted\" or \"round-robin\""),
        ("redirect samu-75", "redirect samu-76", "no PSAP is called \"samu-76\""),
        ("redirect samu-75", "redirect samu-59", "must name another PSAP than itself"),
        ("redirect samu-75", "busy", "must be \"reject 486\", \"reject 503\""),
        ("share = 0.1", "share = 10", "behaviours[0].share: must be a share, 0..=1"),
        ("share = 0.1", "share = 0.95", "the shares add up to 1.150; they must not exceed 1"),
        ("factor = 2", "after = \"2s\"", "psaps.samu-59.behaviours[1]: unknown key \"after\""),
        (
            "members.alpha",
            "members.omega",
            "no site is called \"omega\"; the sites are zeta, alpha",
        ),
        (
            "\"sticky\"",
            "\"affinity\"",
            "trunk_groups.mobile.policy: needs at least one [regions.NAME]",
        ),
        (
            "[psaps.samu-59]",
            "[regions.a]\ndepartments = [\"59\"]\nsites = [\"omega\"]\n[psaps.samu-59]",
            "regions.a.sites[0]: no site is called \"omega\"; the sites are zeta, alpha",
        ),
        (
            "[psaps.samu-59]",
            "[regions.a]\ndepartments = [\"59\", \"62\", \"59\"]\nsites = [\"zeta\"]\n[psaps.samu-59]",
            "regions.a.departments: 59 is in region \"a\" already; remove one",
        ),
        (
            "[psaps.samu-59]",
            "[regions.a]\ndepartments = [\"59350\"]\nsites = [\"zeta\", \"zeta\"]\n[psaps.samu-59]",
            "regions.a.sites: names site \"zeta\" twice; remove one",
        ),
        (
            "[psaps.samu-59]",
            "[regions.a]\ndepartments = [\"97\"]\nsites = []\n[psaps.samu-59]",
            "regions.a.departments[0]: must be a département as in INSEE codes (\"59\", \"2A\", \"974\"), got \"97\"",
        ),
        ("[sites.zeta]", "[sites.Zeta]", "must be named with at most 32 lower-case letters"),
        ("[[routes]]", "[routes]", "routes: must be a list of tables; begin each with [[routes]]"),
        ("numbers = [\"15\", \"112\"]", "numbers = []", "routes[0].numbers: must not be empty"),
        ("numbers = [\"15\", \"112\"]", "numbers = \"15\"", "routes[0].numbers: must be a list"),
    ] {
        let found = spoilt(find, replace);
        assert!(found.contains(message), "{replace:?} gave:\n{found}");
    }
}

#[test]
fn a_mistake_of_syntax_has_its_line() {
    let found = problems("[sites.alpha]\naddress = = 1\n");
    assert_eq!(found.0.len(), 1);
    assert_eq!(found.0[0].line, Some(2));
    assert!(found.0[0].message.starts_with("not valid TOML: "), "{found}");
    let found = problems("name = \"a\"\nname = \"b\"\n");
    assert_eq!(found.0[0].line, Some(2), "{found}");
}

#[test]
fn an_empty_file_is_told_what_a_network_needs() {
    let found = problems("").to_string();
    for header in ["[sites.NAME]", "[psaps.NAME]", "[[routes]]"] {
        assert!(found.contains(header), "{found}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let found = Topology::load(&missing, &Layers::none()).unwrap_err().to_string();
    let place = missing.display();
    assert_eq!(
        found,
        format!("{place}: cannot read the file: no such file or directory; check the path")
    );
    let found = Topology::load(folder.path(), &Layers::none()).unwrap_err().to_string();
    assert!(found.ends_with("is a directory; name a file in it"), "{found}");
    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, [0xff, 0xfe]).unwrap();
    let found = Topology::load(&binary, &Layers::none()).unwrap_err().to_string();
    assert!(found.ends_with("save the file as UTF-8 text"), "{found}");
}

#[test]
fn an_access_node_has_a_trunk_group_and_users_of_their_own() {
    let node = |keys: &str| {
        let good = include_str!("data/good.toml");
        format!("{good}\n[access.lab]\naddress = \"127.0.0.99:5060\"\n{keys}")
    };
    let mobile = "trunk_group = \"mobile\"\n";
    for (keys, sentence) in [
        (String::new(), "access.lab: needs the key \"trunk_group\""),
        ("trunk_group = \"nobody\"\n".to_owned(), "no trunk group is called \"nobody\""),
        (format!("{mobile}realm = \"a b\"\n"), "access.lab.realm: must be a domain"),
        (format!("{mobile}tls = \"127.0.0.99:0\"\n"), "access.lab.tls: must name a port"),
        (
            format!("{mobile}tls = \"127.0.0.99:5061\"\nwss = \"127.0.0.99:5061\"\n"),
            "access.lab.wss: 127.0.0.99:5061 is already the address of access node \"lab\"",
        ),
        (
            format!("{mobile}certificate = \"lab.pem\"\n"),
            "access.lab: needs certificate and key together",
        ),
        (format!("{mobile}algorithms = []\n"), "access.lab.algorithms: must not be empty"),
        (format!("{mobile}expires = \"30s\"\n"), "needs min_expires <= expires <= max_expires"),
        (format!("{mobile}accounts_file = \"none.csv\"\n"), "access.lab.accounts_file: "),
        (
            format!("{mobile}[access.lab.accounts.anna]\nmd5 = \"{}\"\n", "0".repeat(32)),
            "needs sha256 beside md5",
        ),
        (
            format!(
                "{mobile}[access.lab.accounts.anna]\nnumber = \"0199001234\"\n\
                 [access.lab.accounts.bert]\nnumber = \"0199001234\"\n"
            ),
            "\"anna\" and \"bert\" are both called by \"0199001234\"",
        ),
    ] {
        let found = problems(&node(&keys)).to_string();
        assert!(found.contains(sentence), "{keys}: {found}");
    }
}
