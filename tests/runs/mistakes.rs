//! Bad input: a sentence that names the thing and the fix, and exit code 2.

use std::net::UdpSocket;
use std::process::Command;

use system_tests::process::Process;
use system_tests::program::tocsin;

use crate::CampaignFolder;

#[test]
fn a_port_in_use_is_named_with_its_box_and_its_key() {
    let workspace = CampaignFolder::new(1, "100ms");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address");
    let set = format!("sites.beta.address={address}");
    let mut run = workspace.run(&["--set", &set]);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    let said = run.words();
    let sentence = format!("call server \"beta\": cannot listen on {address}: address in use");
    assert!(said.contains(&sentence) && said.contains("sites.beta.address"), "{said}");
}

#[test]
fn every_mistake_of_a_campaign_is_told_at_once_with_its_line() {
    let workspace = CampaignFolder::new(1, "100ms");
    workspace.write(
        "campaign.toml",
        "network = \"network.toml\"\nsed = 3\n\n[callers]\ntalk = \"soon\"\n",
    );
    let mut run = workspace.run(&[]);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    let said = run.words();
    for sentence in [
        "campaign.toml:2: unknown key \"sed\"; did you mean \"seed\"?",
        "campaign.toml:5: callers.talk: ",
        "the campaign needs at least one [[mix]]",
        "the campaign needs at least one [[phases]]",
    ] {
        assert!(said.contains(sentence), "{sentence:?} is missing; {said}");
    }
}

#[test]
fn an_unknown_key_of_the_command_line_is_a_mistake_of_every_program() {
    let workspace = CampaignFolder::new(1, "100ms");
    for (program, file) in [
        ("switch", "network.toml"),
        ("psap", "network.toml"),
        ("load", "campaign.toml"),
        ("run", "campaign.toml"),
    ] {
        let mut command = Command::new(tocsin());
        command.current_dir(workspace.path("")).args([
            program,
            file,
            "--set",
            "sitez.alpha.max_calls=1",
        ]);
        let mut refused = Process::start(program, &mut command);
        assert_eq!(refused.finish().code(), Some(2), "{program}: {}", refused.words());
        let sentence = "--set: unknown key \"sitez\"";
        assert!(refused.words().contains(sentence), "{program}: {}", refused.words());
    }
}

/// What a file has no part in is not laid at its door.
#[test]
fn what_the_command_line_makes_wrong_is_told_of_the_command_line() {
    let workspace = CampaignFolder::new(1, "100ms");
    for (options, sentence) in [
        (["--set", "phases.steady.duration=soon"], "--set: phases.steady.duration: must be"),
        (
            ["--set", "phases.noon.duration=5s"],
            "--set: phases.noon.duration: no element of phases is called",
        ),
        (
            ["--set", "mix.118.weight=5"],
            "no element of mix is called \"118\"; did you mean \"112\"?",
        ),
        (
            ["--set", "phases.steady.arrivals.model=steps"],
            "--set: phases[0].arrivals: needs the key",
        ),
        (["--set", "phases.steady.arrivals.rate=0"], "--set: phases"),
        (["--set", "callers=5"], "--set: callers: must be a table"),
        (["--set", "sites.alpha=5"], "--set: sites.alpha: must be a table"),
        (["--set", "routes[0].psaps=nobody"], "--set: routes[0].psaps"),
        (["--set", "network=nowhere.toml"], "--set: network: nowhere.toml: cannot read the file"),
        (["--duration", "1ms"], "a phase must last 100ms at least"),
        (["--rate", "0"], "must be above 0"),
    ] {
        let mut run = workspace.run(&options);
        assert_eq!(run.finish().code(), Some(2), "{options:?}: {}", run.words());
        let said = run.words();
        assert!(said.contains(sentence), "{options:?}: {sentence:?} is missing; {said}");
        assert!(!said.contains("campaign.toml:") && !said.contains("network.toml:"), "{said}");
    }
    // A file's own mistake stays its own, whatever is set beside it.
    workspace.write("network.toml", &crate::NETWORK.replace("positions = 200", "positions = -1"));
    let mut run = workspace.run(&["--set", "phases.steady.duration=5s"]);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    assert!(run.words().contains("network.toml:"), "{}", run.words());
}

#[test]
fn a_psap_that_no_route_reaches_is_a_mistake() {
    let workspace = CampaignFolder::new(1, "100ms");
    let lonely =
        "\n[psaps.lonely]\naddress = \"127.0.0.1:0\"\nnumber = \"0353010099\"\npositions = 1\n";
    workspace.write("network.toml", &[crate::NETWORK, lonely].concat());
    let mut run = workspace.run(&[]);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    assert!(run.words().contains("psaps.lonely: no route reaches this PSAP"), "{}", run.words());
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let workspace = CampaignFolder::new(1, "100ms");
    let mut command = Command::new(tocsin());
    command.current_dir(workspace.path("")).args(["check", "network.toml", "none.toml"]);
    let mut check = Process::start("tocsin check", &mut command);
    assert_eq!(check.finish().code(), Some(2));
    let said = check.words();
    assert!(said.contains("none.toml: cannot read the file"), "{said}");
    // The right file is still shown as a picture.
    assert!(said.contains("2 sites, 2 trunk groups, 2 PSAPs"), "{said}");
}

#[test]
fn a_run_folder_that_cannot_be_made_is_named() {
    let workspace = CampaignFolder::new(1, "100ms");
    workspace.write("runs", "a file where the folder should be");
    let mut run = workspace.run(&[]);
    assert_eq!(run.finish().code(), Some(2), "{}", run.words());
    assert!(run.words().contains("cannot create runs"), "{}", run.words());
}

// A disk that is full takes no words either; `println!` would panic.
#[test]
fn an_output_that_takes_nothing_makes_no_program_panic() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a full device");
    for (words, code) in [(&["defects"][..], 4), (&["check", "nothing.toml"], 2)] {
        let mut command = Command::new(tocsin());
        let status = command.args(words).stdout(full()).stderr(full()).status();
        assert_eq!(status.expect("it runs").code(), Some(code), "{words:?}");
    }
}
