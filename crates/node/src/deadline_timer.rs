//! The one deadline of a box, which can be moved at any time.
//!
//! Tokio's own timers count whole milliseconds, which is much beside the delay of a call between neighbours. A timer of the
//! kernel wakes within some ten microseconds, costs one system call when it is set, and nothing while it waits.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Sets the deadline. Setting it again moves it.
#[derive(Debug, Clone)]
pub(crate) struct DeadlineTimer(Rc<RefCell<TimerSource>>);

/// Says when the deadline has come.
#[derive(Debug)]
pub(crate) struct DeadlineStream(Rc<RefCell<TimerSource>>);

/// The deadline has come.
#[derive(Debug)]
pub(crate) struct DeadlineReached;

#[derive(Debug)]
enum TimerSource {
    #[cfg(target_os = "linux")]
    Kernel(kernel::Timer),
    /// Where the kernel has none to spare: whole milliseconds.
    Tokio { sleep: Pin<Box<Sleep>>, is_set: bool, waiting: Option<Waker> },
}

impl DeadlineTimer {
    pub(crate) fn new() -> (Self, DeadlineStream) {
        #[cfg(target_os = "linux")]
        let clock = kernel::Timer::new().map_or_else(
            |error| {
                tracing::warn!(%error, "no timer of the kernel: calls may begin a millisecond late");
                TimerSource::tokio()
            },
            TimerSource::Kernel,
        );
        #[cfg(not(target_os = "linux"))]
        let clock = TimerSource::tokio();
        Self::with(clock)
    }

    fn with(clock: TimerSource) -> (Self, DeadlineStream) {
        let clock = Rc::new(RefCell::new(clock));
        (Self(Rc::clone(&clock)), DeadlineStream(clock))
    }

    /// Fires after `wait`, and not at the time that was set before.
    pub(crate) fn set(&self, wait: Duration) {
        let mut clock = self.0.borrow_mut();
        if let Err(error) = clock.set(wait) {
            tracing::error!(%error, "the kernel's timer cannot be set");
            *clock = TimerSource::tokio();
            let _ = clock.set(wait); // this one never fails
        }
    }
}

impl TimerSource {
    fn tokio() -> Self {
        Self::Tokio { sleep: Box::pin(sleep_until(Instant::now())), is_set: false, waiting: None }
    }

    fn set(&mut self, wait: Duration) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel(timer) => timer.set(wait),
            Self::Tokio { sleep, is_set, waiting } => {
                sleep.as_mut().reset(Instant::now() + wait);
                *is_set = true;
                // Whoever waited while nothing was set does not know of this time yet.
                waiting.take().into_iter().for_each(Waker::wake);
                Ok(())
            }
        }
    }
}

impl Stream for DeadlineStream {
    type Item = DeadlineReached;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<DeadlineReached>> {
        match &mut *self.0.borrow_mut() {
            #[cfg(target_os = "linux")]
            TimerSource::Kernel(timer) => timer.poll(cx).map(|()| Some(DeadlineReached)),
            TimerSource::Tokio { sleep, is_set, waiting } => {
                if !*is_set {
                    *waiting = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                ready!(sleep.as_mut().poll(cx));
                *is_set = false;
                Poll::Ready(Some(DeadlineReached))
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;
    use std::os::fd::{AsFd as _, AsRawFd, RawFd};
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A `timerfd`.
    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<Watched>);

    #[derive(Debug)]
    struct Watched(TimerFd);

    impl AsRawFd for Watched {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = Watched(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
            // Tokio cannot know that `Watched` always names the same open file. It does: it owns it.
            #[allow(
                deprecated,
                reason = "the successor is unsafe to call, which this workspace forbids"
            )]
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        pub(super) fn set(&self, wait: Duration) -> io::Result<()> {
            // A time of zero would switch it off.
            let wait = TimeSpec::from_duration(wait.max(Duration::from_nanos(1)));
            Ok(self.0.get_ref().0.set(Expiration::OneShot(wait), TimerSetTimeFlags::empty())?)
        }

        /// Ready once for each time that it was set and has come; one that is set again meanwhile may make it ready once more.
        pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
            // The expiry needs no reading: setting the timer clears it, and the next one is a new edge.
            match ready!(self.0.poll_read_ready(cx)) {
                Ok(mut guard) => {
                    guard.clear_ready();
                    Poll::Ready(())
                }
                // The runtime ends, and the box with it.
                Err(_) => Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    async fn fires_when_set((timer, mut deadlines): (DeadlineTimer, DeadlineStream)) {
        for wait in [Duration::from_millis(3), Duration::ZERO] {
            let begun = Instant::now();
            timer.set(wait);
            assert!(deadlines.next().await.is_some());
            assert!(begun.elapsed() >= wait);
        }
        // Whoever waits already is told too.
        for _ in 0..2 {
            let later = async {
                tokio::task::yield_now().await;
                timer.set(Duration::from_millis(1));
            };
            assert!(tokio::join!(deadlines.next(), later).0.is_some());
        }
        // It was moved: the later time counts.
        let begun = Instant::now();
        timer.set(Duration::from_millis(1));
        timer.set(Duration::from_millis(20));
        assert!(deadlines.next().await.is_some());
        assert!(begun.elapsed() >= Duration::from_millis(20), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_timer_fires_when_it_was_set_to() {
        fires_when_set(DeadlineTimer::new()).await;
    }

    #[tokio::test]
    async fn so_does_one_without_the_kernel() {
        fires_when_set(DeadlineTimer::with(TimerSource::tokio())).await;
    }

    #[tokio::test]
    async fn one_that_is_not_set_does_not_fire() {
        for (_alarm, mut deadlines) in
            [DeadlineTimer::new(), DeadlineTimer::with(TimerSource::tokio())]
        {
            let silence = tokio::time::timeout(Duration::from_millis(5), deadlines.next()).await;
            assert!(silence.is_err());
        }
    }
}
