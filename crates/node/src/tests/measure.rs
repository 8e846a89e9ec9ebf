use tokio::net::UdpSocket;
use super::echo::{any_port, with_echo};
use crate::SocketLimits;
#[test]
#[ignore]
fn measure() {
    with_echo(SocketLimits::default(), async |bench| {
        let addr = bench.address;
        for (window, total) in [(1u32, 20_000u32), (32, 200_000), (128, 200_000)] {
            let before = crate::usage();
            let t = std::time::Instant::now();
            // the client in its own thread; its CPU is measured separately by thread time
            let client_cpu = std::thread::spawn(move || {
                let s = std::net::UdpSocket::bind(any_port()).unwrap();
                let m = vec![b'a'; 900]; let mut b = [0; 2000];
                for _ in 0..total / window { for _ in 0..window { s.send_to(&m, addr).unwrap(); } for _ in 0..window { s.recv(&mut b).unwrap(); } }
                let u = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_THREAD).unwrap();
                use nix::sys::time::TimeValLike;
                u.user_time().num_microseconds() + u.system_time().num_microseconds()
            }).join().unwrap();
            let used = (crate::usage().cpu() - before.cpu()).as_micros() as i64;
            let c = bench.counts().await;
            eprintln!("window {window}: wall {:?}, box {:.2} us per datagram received+echoed, client {:.2}; {c:?}", t.elapsed(), (used - client_cpu) as f64 / total as f64, client_cpu as f64 / total as f64);
        }
    });
}
#[allow(unused)] fn x(_: UdpSocket) {}
