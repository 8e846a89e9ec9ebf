//! What fuzzing begins with: a folder for each target, and files that the repository has anyway.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Pieces that change the meaning of what stands round them.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n ",
    b"\0",
    b"\"",
    b"<",
    b">",
    b";",
    b",",
    b"%",
    b"@",
    b": ",
    b"\\",
    b"\xff",
    b"=",
    b"[",
    b"]",
    b"{",
    b"}",
    b"'",
    b"#",
    b"\"\"\"",
    b"--",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1e999",
    b"nan",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"m=audio 0 RTP/AVP 0\r\n",
    b"Content-Length: 99\r\n",
    b"Via: SIP/2.0/UDP [::1]:0;branch=z9hG4bK;rport\r\n",
    b"\r\n\r\n",
];

/// Gives every seed of a target to `property`, as it is and then, in so many rounds, damaged.
pub(crate) fn try_all(target: &str, rounds: usize, property: fn(&[u8])) {
    let seeds = of(target);
    seeds.iter().for_each(|seed| property(seed));
    // The same each time: what fails here fails on every machine.
    let mut rng = StdRng::seed_from_u64(4475);
    for round in 0..rounds {
        let (one, other) = (&seeds[round % seeds.len()], &seeds[rng.random_range(0..seeds.len())]);
        property(&damage(&mut rng, one, other));
    }
    go_on(target, &seeds, property);
}

/// With `FUZZ_SECONDS`, goes on for so long with damage that no run has done before, and says how much that was. What fails is
/// written down.
fn go_on(target: &str, seeds: &[Vec<u8>], property: fn(&[u8])) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let Some(seconds) = number("FUZZ_SECONDS") else { return };
    let seed = number("FUZZ_SEED").unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.unwrap_or_default().as_nanos() as u64
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let (end, mut count) = (Instant::now() + Duration::from_secs(seconds), 0_u64);
    while Instant::now() < end {
        for _ in 0..64 {
            let (one, other) = (rng.random_range(0..seeds.len()), rng.random_range(0..seeds.len()));
            let mut input = damage(&mut rng, &seeds[one], &seeds[other]);
            // Damage upon damage, now and then.
            while rng.random_ratio(1, 3) {
                input = damage(&mut rng, &input, &seeds[other]);
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| property(&input)));
            if let Err(panic) = outcome {
                let path = std::env::temp_dir().join(format!("{target}-{seed}-{count}"));
                fs::write(&path, &input).unwrap();
                println!("{target}: this fails: {}", path.display());
                resume_unwind(panic);
            }
            count += 1;
        }
    }
    println!("{target}: {count} executions, FUZZ_SEED={seed}");
}

/// The seeds of a target, in the order of their names.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![format!("fuzz/corpus/{target}")];
    folders.extend(
        match target {
            "sip_message" | "sip_station" | "sip_boxes" | "tcp_stream" | "sdp_in_body"
            | "ladder" => &["../crates/sip-proto/tests/data", "fuzz/corpus/sip"][..],
            "network_file" => {
                &["../configs/networks", "../crates/campaign/tests/schema/network.toml"]
            }
            "campaign_file" => &[
                "../configs/campaigns",
                "../configs/outages",
                "../crates/campaign/tests/schema/campaign.toml",
            ],
            "csv_rows" => &["../configs/feeds"],
            _ => &[],
        }
        .iter()
        .map(ToString::to_string),
    );
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| collect(&tests.join(folder), &mut paths));
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Adds the file at `path`, or all files below it.
fn collect(path: &Path, paths: &mut Vec<PathBuf>) {
    if let Ok(entries) = fs::read_dir(path) {
        entries.for_each(|entry| collect(&entry.unwrap().path(), paths));
    } else if path.is_file() && path.extension().is_none_or(|ending| ending != "md") {
        paths.push(path.to_owned());
    }
}

/// One to four changes of octets, or of a run of them.
fn damage(rng: &mut StdRng, one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = one.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=out.len());
        let end = (at + rng.random_range(0..40)).min(out.len());
        match rng.random_range(0..6) {
            0 => drop(out.drain(at..end)),
            1 if rng.random_ratio(1, 4) => out.truncate(at),
            2 => drop(out.splice(at..end, PIECES[rng.random_range(0..PIECES.len())].to_vec())),
            3 => drop(out.splice(at..at, out[at..end].to_vec())),
            4 if at < out.len() => out[at] = rng.random(),
            _ => {
                let from = rng.random_range(0..=other.len());
                let to = (from + rng.random_range(0..80)).min(other.len());
                drop(out.splice(at..end, other[from..to].to_vec()));
            }
        }
    }
    out
}

/// Whether this may stand on one line of a log or a terminal: a sentence for a person, without control characters.
pub(crate) fn assert_sentence(sentence: &str) {
    assert!(!sentence.trim().is_empty(), "a refusal without a word");
    assert!(!sentence.contains(char::is_control), "a control character in {sentence:?}");
}

#[test]
#[ignore = "for tests/fuzz.sh, which says what and where to"]
fn write_down() {
    let variable = |name| std::env::var(name).expect(name);
    let folder = PathBuf::from(variable("SEEDS_TO"));
    for (number, seed) in of(&variable("SEEDS_OF")).iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
    }
}
