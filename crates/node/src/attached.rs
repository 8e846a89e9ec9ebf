//! A stream of inputs as an actor has it: asked only when it has called.
//!
//! actix asks all streams of an actor whenever one of them has something. To ask one of tokio's sockets, timers or channels
//! that has nothing costs some hundred instructions, and a box has four.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::Stream;

/// A stream that keeps something until it is gone itself. The order of the fields matters.
pub(crate) struct Attached<S, K> {
    stream: S,
    bell: Arc<Bell>,
    /// Rings the bell.
    rings: Waker,
    /// Whom the bell wakes, as it was told last.
    wakes: Option<Waker>,
    _kept: Rc<K>,
}

/// What the stream calls with.
struct Bell {
    has_rung: AtomicBool,
    wakes: Mutex<Option<Waker>>,
}

impl<S, K> Attached<S, K> {
    pub(crate) fn new(stream: S, kept: Rc<K>) -> Self {
        let bell = Arc::new(Bell { has_rung: AtomicBool::new(true), wakes: Mutex::new(None) });
        let rings = Waker::from(Arc::clone(&bell));
        Self { stream, bell, rings, wakes: None, _kept: kept }
    }

    fn listen(&mut self, waker: &Waker) {
        if !self.wakes.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.wakes = Some(waker.clone());
            *self.bell.wakes.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.iter().for_each(Waker::wake_by_ref);
    }
}

impl<S: Stream + Unpin, K> Stream for Attached<S, K> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.get_mut();
        // First: what rings from now on must wake the right one.
        this.listen(cx.waker());
        if !this.bell.has_rung.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        let polled = Pin::new(&mut this.stream).poll_next(&mut Context::from_waker(&this.rings));
        if polled.is_ready() {
            // There may be more, which it calls for only after it has been asked in vain.
            this.bell.has_rung.store(true, Ordering::Release);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::{FutureExt as _, StreamExt as _};
    use tokio::sync::mpsc;

    use super::*;

    /// A channel as a stream that counts how often it was asked.
    struct Items(mpsc::UnboundedReceiver<u8>, Rc<Cell<u32>>);

    impl Stream for Items {
        type Item = u8;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
            self.1.set(self.1.get() + 1);
            self.0.poll_recv(cx)
        }
    }

    #[tokio::test]
    async fn a_stream_is_asked_when_it_has_called_and_gives_everything() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let asked = Rc::new(Cell::new(0));
        let mut stream = Attached::new(Items(receiver, Rc::clone(&asked)), Rc::new(()));
        for _ in 0..3 {
            assert!(stream.next().now_or_never().is_none());
        }
        assert_eq!(asked.get(), 1, "it has not called");
        sender.send(1).expect("a receiver");
        sender.send(2).expect("a receiver");
        assert_eq!(stream.next().now_or_never(), Some(Some(1)));
        assert_eq!(stream.next().now_or_never(), Some(Some(2)));
        assert!(stream.next().now_or_never().is_none());
        // Whoever waits is woken, whoever has asked before.
        let later = async { sender.send(3).expect("a receiver") };
        assert_eq!(tokio::join!(stream.next(), later).0, Some(3));
        drop(sender);
        assert_eq!(stream.next().await, None);
    }
}
