//! `tocsin certificates`: an authority for a lab, and certificates for the boxes of its network.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cli::{CertificateState, FileArgs, Subject};
use topology::Topology;

/// Makes a certificate authority for a lab, and certificates for the access nodes and all other boxes of a network
#[derive(Debug, Args)]
pub(crate) struct CertificatesArgs {
    #[command(flatten)]
    network: FileArgs,
    /// Where to put them [certificates, beside the network file: access nodes look for theirs there]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Make all anew, also those that are there: who trusted the old authority must trust the new one
    #[arg(long)]
    force: bool,
}

pub(crate) fn certificates(args: &CertificatesArgs) -> ExitCode {
    let file = &args.network.file;
    let topology = match Topology::load(file, &args.network.network_layers()) {
        Ok(topology) => topology,
        Err(problems) => return cli::refuse(&problems),
    };
    match make(args, &topology) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

fn make(args: &CertificatesArgs, topology: &Topology) -> anyhow::Result<()> {
    let usual = || args.network.file.with_file_name(topology::CERTIFICATES);
    let folder = args.out.clone().unwrap_or_else(usual);
    let subjects = subjects(topology);
    let lab = &topology.name;
    let made = cli::make_lab_certificates(&folder, lab, &subjects, args.force)?;
    let whose = ["the authority of the lab, which telephones and browsers are to trust".to_owned()];
    let of_boxes = subjects.iter().map(|subject| subject.names.join(", "));
    for (certificate, what) in made.iter().zip(whose.into_iter().chain(of_boxes)) {
        let state = match certificate.state {
            CertificateState::Made => "made",
            CertificateState::Kept => "kept",
            CertificateState::Stale => {
                "kept, but for other names or about to end: --force makes all anew"
            }
        };
        cli::say!("{}  {what} ({state})", certificate.file.display());
    }
    if let Some(authority) = made.first() {
        let authority = std::path::absolute(&authority.file)?;
        tell_how_to_trust(&authority.display().to_string());
    }
    Ok(())
}

/// What each box is called.
fn subjects(topology: &Topology) -> Vec<Subject> {
    let access = topology.access.iter().map(|access| {
        let further = access.listeners().map(|(_, address)| address.ip());
        let mut names: Vec<String> = Vec::new();
        for ip in [access.address.ip()].into_iter().chain(further) {
            let ip = ip.to_string();
            if !names.contains(&ip) {
                names.push(ip);
            }
        }
        let domain = access.realm.to_ascii_lowercase();
        names.extend([domain.clone(), access.name.clone()]);
        names.dedup();
        Subject { name: access.name.clone(), names, domain: Some(domain) }
    });
    let groups = topology.trunk_groups.iter().map(|group| (&group.name, group.address));
    let call_servers = topology.call_servers().map(|one| (&one.name, one.address));
    let psaps = topology.psaps.iter().map(|psap| (&psap.name, psap.address));
    let others = groups.chain(call_servers).chain(psaps).map(|(name, address)| Subject {
        name: name.clone(),
        names: vec![address.ip().to_string(), name.clone()],
        domain: None,
    });
    access.chain(others).collect()
}

fn tell_how_to_trust(authority: &str) {
    cli::say!("");
    cli::say!("How telephones and browsers trust them:");
    cli::say!("  baresip    in its file config:  sip_cafile {authority}");
    cli::say!("  linphone   in its file linphonerc, under [sip]:  root_ca={authority}");
    cli::say!("  Firefox    Settings, Privacy & Security, View Certificates, Authorities, Import");
    cli::say!("  Chromium   chrome://certificate-manager, Custom, Trusted Certificates, Import");
    cli::say!(
        "Whoever has the key of the authority, beside it, can pass for any site towards those who trust it:"
    );
    cli::say!("keep it, and take the trust back when the lab is over.");
}
