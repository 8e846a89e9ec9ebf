//! `tocsin account`: what a network file keeps instead of a password.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Args;
use sip_proto::digest::Secret;

/// Prints the lines of a network file for a user of an access node, whose telephone registers with a password
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The user
    name: String,
    /// The realm of the access node: its key `realm`, or else its name
    realm: String,
    /// Read the password from standard input, instead of making one up
    #[arg(long)]
    password_stdin: bool,
}

/// Longer passwords than any telephone takes.
const LONGEST: u64 = 1_024;

pub(crate) fn account(args: &AccountArgs) -> ExitCode {
    match print(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, cli::USAGE),
    }
}

fn print(args: &AccountArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        topology::reader::kind::is_name(&args.name),
        "the user {:?} must be named with at most 32 lower-case letters, digits and hyphens",
        args.name
    );
    let password = if args.password_stdin {
        let mut text = String::new();
        std::io::stdin().lock().take(LONGEST).read_to_string(&mut text)?;
        let password = text.trim_end_matches(['\r', '\n']).to_owned();
        anyhow::ensure!(!password.is_empty(), "there is no password on standard input");
        password
    } else {
        let password = cli::random_text(16)?;
        cli::say!("# the password is {password}; it stands nowhere else");
        password
    };
    let Secret { sha256, md5 } = Secret::of(&args.name, &args.realm, &password);
    cli::say!(
        "[access.ACCESS.accounts.{}]   # ACCESS: the node whose realm is {}",
        args.name,
        args.realm
    );
    cli::say!("sha256 = \"{sha256}\"");
    if let Some(md5) = md5 {
        cli::say!(
            "md5 = \"{md5}\"   # for telephones that know no SHA-256; leave it out to keep them away"
        );
    }
    Ok(())
}
