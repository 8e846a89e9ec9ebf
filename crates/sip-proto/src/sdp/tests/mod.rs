mod generated;
mod grammar;
mod negotiation;

use super::Session;

fn parse(text: &str) -> Session {
    Session::parse(text.as_bytes()).unwrap()
}
