//! Sound goes through our pool: from and to baresip and SIPp, who say themselves what they heard, or whose tone is
//! found in our recording.

use std::time::Duration;

use media::Law;
use serde_json::Value;

use crate::baresip::{Baresip, TONE};
use crate::network::{CAMPAIGN_CALLS, Network, Settings};
use crate::records::{Records, media};
use crate::sipp::Sipp;
use crate::sound::{duration_of, tone};

/// What our side plays, in hertz: no other sound here has this frequency.
const BEEP: f64 = 1_000.0;

/// The French ring-back tone, in hertz.
const RING_BACK: f64 = 440.0;

/// Of three seconds of talk, this much must have come through.
const ENOUGH: Duration = Duration::from_secs(2);

/// Checks that `heard` has a long tone of `wanted` hertz, and nothing of what was said in the other direction.
fn expect_tone(who: &str, heard: &[i16], wanted: f64, not_wanted: f64) {
    let durations = [wanted, not_wanted].map(|hertz| duration_of(hertz, heard));
    assert!(
        durations[0] >= ENOUGH && durations[1].is_zero(),
        "{who}: {wanted} Hz and {not_wanted} Hz for {durations:?}"
    );
}

/// One call of a softphone, which the PSAP ends after three seconds: what the softphone heard, and our records.
fn talk(settings: Settings) -> (Vec<i16>, Records) {
    let network = Network::with(settings.with("psaps.first.talk", "3s"));
    let mut phone = Baresip::start(false);
    phone.dial(&format!("sip:112@{}", network.at("mobile")));
    phone.until_established();
    phone.until_closed();
    let heard = phone.quit_with_sound();
    let records = network.stop();
    records.expect_on_path("answered", 1).expect_heard("psap", 1);
    (heard, records)
}

/// The softphone's file is in our recording, left; our file is in that of the softphone, after the ring-back tone.
#[test]
fn a_softphone_and_our_psap_hear_each_other() {
    let settings = Settings::default().with_clip("beep", tone(BEEP, 1));
    let settings = settings.with("psaps.first.audio", "clip beep").with("psaps.first.record", "1");
    let settings = settings.with("psaps.first.waiting", "ring-back").with("psaps.first.ring", "2s");
    let settings = settings.with("sites.alpha.ring_timeout", "10s");
    let (heard, records) = talk(settings);
    expect_tone("the softphone", &heard, BEEP, TONE);
    let rang = duration_of(RING_BACK, &heard);
    assert!(rang >= Duration::from_secs(1), "the softphone heard it ring for {rang:?}");
    let recordings = records.recordings();
    let [[left, right]] = &recordings[..] else { panic!("{} recordings", recordings.len()) };
    expect_tone("our PSAP", left, TONE, BEEP);
    expect_tone("our PSAP's own voice", right, BEEP, TONE);
}

#[test]
fn a_softphone_hears_its_own_echo() {
    let (heard, _) = talk(Settings::default().with("psaps.first.audio", "echo"));
    expect_tone("the softphone", &heard, TONE, BEEP);
}

/// RFC 4733, from baresip to us.
#[test]
fn digits_typed_on_a_softphone_reach_our_psap() {
    let network = Network::start();
    let mut phone = Baresip::start(false);
    phone.dial(&format!("sip:112@{}", network.at("mobile")));
    phone.until_established();
    for digit in ['1', '5', '5', '#'] {
        phone.press(digit);
    }
    phone.hang_up();
    phone.quit();
    let records = network.stop();
    records.expect_heard("psap", 1);
    let digits: Vec<_> = records.of("psap").flat_map(media).map(|one| &one["digits"]).collect();
    assert_eq!(digits, ["155#"]);
}

/// RFC 4733, from us to baresip; and sound both ways.
#[test]
fn our_caller_and_a_softphone_that_answers_hear_each_other() {
    let mut phone = Baresip::start(true);
    let settings = Settings::default().with_first_psap_at(phone.address());
    let settings = settings.with_clip("beep", tone(BEEP, 1));
    let settings = settings.with_campaign("phases[0].arrivals.rate", "1");
    let settings = settings.with_campaign("callers.audio", "clip beep");
    let settings = settings.with_campaign("callers.digits", "155#");
    let network = Network::with(settings.with_campaign("callers.talk", "4s"));
    network.carry_campaign();
    for digit in ['1', '5', '5', '#'] {
        phone.until_digit(digit);
    }
    let heard = phone.quit_with_sound();
    let records = network.stop();
    records.expect("generator", "answered", 1).expect_each("call_server", "psap", "first");
    records.expect_heard("generator", 1);
    expect_tone("the softphone", &heard, BEEP, TONE);
}

/// Ten callers with a tone, one second of A-law again and again.
fn streaming(network: &Network) -> Sipp {
    let tone: Vec<u8> = tone(TONE, 1).into_iter().map(|sample| Law::A.encode(sample)).collect();
    let caller = Sipp::caller("caller_streams", network.at("mobile"));
    caller.with_file("tone.alaw", &tone).calls(10).with(&["-r", "10", "-d", "2000"])
}

fn received(records: &Records, kind: &str) -> Vec<u64> {
    let streams = records.of(kind).flat_map(media);
    streams.map(|stream| stream["received"].as_u64().expect("a count")).collect()
}

/// SIPp sends fifty packets a second, and writes them itself: ours only counts.
#[test]
fn our_psap_hears_what_sipp_streams() {
    let network = Network::start();
    assert_eq!(streaming(&network).run().successful, 10);
    let records = network.stop();
    records.expect_on_path("answered", 10).expect_heard("psap", 10);
    // Two seconds; SIPp may be late at the end.
    let counts = received(&records, "psap");
    assert!(counts.iter().all(|count| (75..=110).contains(count)), "{counts:?}");
    assert_eq!(received(&records, "call_server").len(), 20, "two streams of each call");
}

#[test]
fn media_can_pass_by_the_call_server() {
    let network = Network::with(Settings::default().with("trunk_groups.mobile.media", "direct"));
    assert_eq!(streaming(&network).run().successful, 10);
    let records = network.stop();
    records.expect_on_path("answered", 10).expect_heard("psap", 10);
    assert_eq!(received(&records, "call_server"), [0; 0]);
}

/// What comes back is our own melody. But SIPp has announced none, so any sound of it is right.
#[test]
fn our_callers_hear_the_echo_of_sipp() {
    let psap = Sipp::built_in("uas").with(&["-rtp_echo"]).calls(CAMPAIGN_CALLS);
    let network = Network::with(Settings::default().with_first_psap_at(psap.address()));
    let psap = psap.start();
    network.carry_campaign();
    assert_eq!(psap.succeed().successful, CAMPAIGN_CALLS as u64);
    let records = network.stop();
    records.expect("generator", "answered", CAMPAIGN_CALLS);
    records.expect_each("call_server", "psap", "first");
    records.expect_heard("generator", CAMPAIGN_CALLS);
    // Each packet that came is one that was sent.
    let echoed = |stream: &&Value| stream["received"].as_u64() <= stream["sent"].as_u64();
    assert_eq!(records.of("generator").flat_map(media).filter(echoed).count(), CAMPAIGN_CALLS);
}
