//! Access nodes as boxes to run: their users, their secrets, and what they tell.

use std::sync::Arc;

use access::{AccessNode, AccessNotice, Account};
use anyhow::Context as _;
use cli::{BoxArgs, KeyFile, ServerIdentity};
use contract::NodeKind;
use node::clock::WallStart;
use node::{Label, Listener, NodeSpec};
use sip_proto::digest::Secret;
use topology::{Access, Topology};

use crate::no_command::no_command;

/// Letters of a password that is made up here: 60 bits.
const PASSWORD: usize = 12;

/// An access node as a box to run. A user without a password gets one, which is printed: it holds until the program ends.
///
/// # Errors
/// The system gives no random numbers, or a certificate cannot be used.
pub fn access_node_spec(
    settings: &Access,
    topology: &Arc<Topology>,
    seed: u64,
    keys: Option<&Arc<KeyFile>>,
) -> anyhow::Result<NodeSpec> {
    let listeners =
        listeners(settings, keys).with_context(|| format!("access.{}", settings.name))?;
    let label = Label {
        name: settings.name.clone(),
        kind: NodeKind::AccessNode,
        address: settings.address,
        setting: format!("access.{}.address", settings.name),
    };
    let accounts = accounts(settings)
        .with_context(|| format!("no passwords for the access node {:?}", settings.name))?;
    // Not of the seed: whoever knows that must not know this.
    let secret = cli::random_text(32)?;
    let (settings, topology) = (settings.clone(), Arc::clone(topology));
    let seed = BoxArgs::seed_of(seed, &settings.name);
    let node = settings.name.clone();
    let build = move |address, start: WallStart| {
        AccessNode::new(settings, accounts, topology, address, seed, &secret, start.now)
    };
    let spec = NodeSpec::new(label, build, no_command, move |notice| log(&node, &notice));
    Ok(spec.listening(listeners))
}

/// Where it takes TLS and WebSockets.
fn listeners(settings: &Access, keys: Option<&Arc<KeyFile>>) -> anyhow::Result<Vec<Listener>> {
    let Access { name, tls, ws, wss, certificate, key, .. } = settings;
    let setting = |which: &str| format!("access.{name}.{which}");
    let mut listeners = Vec::new();
    listeners.extend(ws.map(|at| Listener::websocket(at, setting("ws"), None)));
    if settings.speaks_tls() {
        let identity = ServerIdentity::for_telephones(certificate, key, keys)
            .context("no TLS without a certificate, which `tocsin certificates` makes")?;
        for line in identity.told() {
            cli::complain!("{name}: {line}");
        }
        let acceptor = || identity.acceptor().clone();
        listeners.extend(tls.map(|at| Listener::tls(at, setting("tls"), acceptor())));
        let wss = wss.map(|at| Listener::websocket(at, setting("wss"), Some(acceptor())));
        listeners.extend(wss);
    }
    Ok(listeners)
}

fn accounts(settings: &Access) -> anyhow::Result<Vec<Account>> {
    let mut accounts = Vec::with_capacity(settings.accounts.len());
    for account in &settings.accounts {
        let secret = match &account.secret {
            Some(secret) => Secret {
                sha256: secret.sha256.as_str().into(),
                md5: secret.md5.as_deref().map(Into::into),
            },
            None => {
                let password = cli::random_text(PASSWORD)?;
                let (name, realm) = (&account.name, &settings.realm);
                // Not on standard output: a supervised program reports there.
                cli::complain!(
                    "{}: user {name} has the password {password} until this program ends; `tocsin account {name} {realm}` makes one that stays",
                    settings.name
                );
                Secret::of(name, realm, &password)
            }
        };
        accounts.push(Account {
            name: account.name.as_str().into(),
            number: account.number.as_deref().map(Into::into),
            secret,
        });
    }
    Ok(accounts)
}

fn log(access: &str, notice: &AccessNotice) {
    match notice {
        AccessNotice::Registered { account, contact, from, transport, seconds } => {
            let transport = transport.token();
            tracing::info!(access, %account, %contact, %from, transport, seconds, "a telephone is registered");
        }
        AccessNotice::Gone { account, contacts } => {
            tracing::info!(access, %account, contacts, "contacts of a user are gone");
        }
        AccessNotice::WrongPassword { account, from } => {
            tracing::warn!(access, %account, %from, "a wrong password");
        }
    }
}
