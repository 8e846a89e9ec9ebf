//! Our own program, as `tocsin run` starts it: a child that says on its output where it listens.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use contract::{PipeMessage as _, ProcessReport};

use crate::process::Process;

/// A running `tocsin switch`, `tocsin psap` or `tocsin load`.
#[derive(Debug)]
pub struct Program {
    name: String,
    process: Process,
}

impl Program {
    /// Starts `tocsin` with these arguments; its call records go to `records`.
    pub fn start(name: &str, arguments: Vec<OsString>, records: &Path) -> Self {
        let mut command = Command::new(tocsin());
        command.args(arguments).arg("--supervised").arg("--records").arg(records);
        command.args(["--log-filter", "warn"]);
        let process = Process::start(name, &mut command);
        Self { name: name.to_owned(), process }
    }

    /// Waits until all its boxes listen, and returns where.
    pub fn addresses(&mut self) -> BTreeMap<String, SocketAddr> {
        let ready = report(&self.process.until(r#"{"ready":"#));
        let ProcessReport::Ready { boxes } = ready else { panic!("{ready:?}") };
        boxes.into_iter().map(|(name, entry)| (name, entry.address)).collect()
    }

    /// Lets it end what is in progress, and end.
    ///
    /// # Panics
    /// When something was still in progress, or it had received a message that it could not read.
    pub fn drain(mut self) {
        self.process.write(r#""drain""#);
        self.end();
    }

    /// Waits for its end, which must be a clean one.
    pub fn end(mut self) {
        let status = self.process.finish();
        assert!(status.success(), "{}: {status}; {}", self.name, self.process.words());
        let last = self.process.said().iter().rfind(|line| line.starts_with(r#"{"final":"#));
        let last = report(last.expect("a last report"));
        let ProcessReport::Final { boxes, .. } = last else { panic!("{last:?}") };
        for (name, entry) in boxes {
            let malformed = entry.messages().malformed;
            assert_eq!(malformed, 0, "{name} could not read messages of a program in common use");
        }
    }
}

fn report(line: &str) -> ProcessReport {
    let report = ProcessReport::from_line(line);
    let report = report.unwrap_or_else(|error| panic!("no report ({error}): {line}"));
    report.expect("no empty line")
}

/// The executable of the same build as this test, built now if it was not.
///
/// # Panics
/// When cargo cannot build it.
pub fn tocsin() -> &'static Path {
    static TOCSIN: OnceLock<PathBuf> = OnceLock::new();
    TOCSIN.get_or_init(|| {
        // target/PROFILE/deps/interop-HASH
        let test = std::env::current_exe().expect("the path of this test");
        let build = test.ancestors().nth(2).expect("the folder of the build");
        let target = build.parent().expect("the target folder");
        let profile = match build.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        // Whoever runs this test tells it of its package. A build script that looks at the same variables would run again, and all
        // that needs its crate would be built anew.
        for (name, _) in std::env::vars_os() {
            let is_of_package = |prefix| name.to_str().is_some_and(|name| name.starts_with(prefix));
            if is_of_package("CARGO_PKG_") || is_of_package("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        let status = cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            // As `make test` does: for one package alone, cargo would choose other features and build all anew.
            .args(["build", "--quiet", "--workspace", "--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .status()
            .expect("cargo starts");
        assert!(status.success(), "cargo cannot build tocsin: {status}");
        build.join("tocsin")
    })
}
