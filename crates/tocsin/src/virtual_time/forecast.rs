//! How far several runs in virtual time are together, and how long they will take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use account::text::length;

/// The first forecast comes after this: an earlier one would be a guess.
const FIRST: Duration = Duration::from_secs(2);
/// Between two lines, on the wall.
const INTERVAL: Duration = Duration::from_secs(30);

/// How far each of several runs is.
#[derive(Debug)]
pub(super) struct Forecast {
    begun: Instant,
    /// Of each run: virtual milliseconds that it has reached, and that it lasts.
    runs: Vec<(AtomicU64, u64)>,
    /// Who still works at them.
    workers: Mutex<usize>,
    ended: Condvar,
}

/// Somebody who works at the runs, until dropped: also by a panic.
#[derive(Debug)]
pub(super) struct Worker<'a>(&'a Forecast);

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        *self.0.workers.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_all();
    }
}

impl Forecast {
    /// Of runs that last so long, with so many who work at them.
    pub(super) fn new(lengths: impl IntoIterator<Item = Duration>, workers: usize) -> Self {
        let millis = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let run = |length| (AtomicU64::new(0), millis(length).max(1));
        Self {
            begun: Instant::now(),
            runs: lengths.into_iter().map(run).collect(),
            workers: Mutex::new(workers),
            ended: Condvar::new(),
        }
    }

    /// Where run number `index` tells how far it is.
    pub(super) fn reached(&self, index: usize) -> &AtomicU64 {
        &self.runs[index].0
    }

    /// One of those who work.
    pub(super) const fn worker(&self) -> Worker<'_> {
        Worker(self)
    }

    /// Says now and then how far the runs are, until nobody works at them any more.
    pub(super) fn tell(&self, mut say: impl FnMut(String)) {
        let mut wait = FIRST;
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let waited = self.ended.wait_timeout_while(workers, wait, |workers| *workers > 0);
            workers = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *workers == 0 {
                return;
            }
            wait = INTERVAL;
            say(line(self.share(), self.begun.elapsed()));
        }
    }

    fn share(&self) -> f64 {
        let done = |(reached, length): &(AtomicU64, u64)| {
            (reached.load(Ordering::Relaxed) as f64 / *length as f64).min(1.0)
        };
        self.runs.iter().map(done).sum::<f64>() / self.runs.len().max(1) as f64
    }
}

fn line(share: f64, elapsed: Duration) -> String {
    // Nobody counts tenths of what is guessed.
    let roughly = |seconds: f64| match seconds {
        seconds if seconds < 119.5 => format!("{seconds:.0} s"),
        seconds => length(seconds),
    };
    let done = format!("{:.0} % done after {}", share * 100.0, roughly(elapsed.as_secs_f64()));
    if share <= 0.0 {
        return done;
    }
    let left = elapsed.as_secs_f64() * (1.0 - share) / share;
    format!("{done}, about {} to go", roughly(left.ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_is_done() {
        let forecast = Forecast::new([Duration::from_secs(100), Duration::from_secs(300)], 2);
        forecast.reached(0).store(100_000, Ordering::Relaxed);
        assert!((forecast.share() - 0.5).abs() < 1e-9);
        // The calls of a campaign that is over still end.
        forecast.reached(0).store(900_000, Ordering::Relaxed);
        forecast.reached(1).store(150_000, Ordering::Relaxed);
        assert!((forecast.share() - 0.75).abs() < 1e-9);
        assert_eq!(
            line(0.25, Duration::from_secs(60)),
            "25 % done after 60 s, about 3 min 0 s to go"
        );
        assert_eq!(line(0.0, Duration::from_secs(2)), "0 % done after 2 s");
    }

    #[test]
    fn whoever_waits_for_the_next_line_is_let_go_at_the_end() {
        let forecast = Forecast::new([Duration::from_secs(1)], 1);
        std::thread::scope(|scope| {
            let telling = scope.spawn(|| forecast.tell(|_| ()));
            drop(forecast.worker());
            telling.join().expect("it ends");
        });
    }
}
