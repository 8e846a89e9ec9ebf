//! The texts of a dialog: one piece of memory for all of them, since thousands of dialogs are kept at a time.

/// What stands in the requests of a dialog.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    /// Call-ID, our name-addr, that of the peer, its Contact URI, and the routes, one behind the other.
    all: Box<str>,
    /// Where the first four end.
    ends: [u32; 4],
    /// Where the peer's tag begins in its name-addr, and how long it is.
    remote_tag: (u32, u32),
    /// Where each route ends.
    routes: Box<[u32]>,
}

impl Texts {
    /// `remote` has the `remote_tag`, if that is not empty. Our own name-addr comes in pieces.
    pub(super) fn new<'a>(
        call_id: &str,
        local: [&str; 3],
        remote: &str,
        remote_tag: &str,
        remote_target: &str,
        routes: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        let pieces = [call_id, local[0], local[1], local[2], remote, remote_target];
        let length = |text: &str| text.len();
        let length = pieces.into_iter().map(length).sum::<usize>()
            + routes.clone().map(length).sum::<usize>();
        let mut all = String::with_capacity(length);
        let mut add = |texts: &[&str]| {
            texts.iter().for_each(|text| all.push_str(text));
            all.len() as u32
        };
        let ends = [add(&[call_id]), add(&local), add(&[remote]), add(&[remote_target])];
        let routes = routes.map(|route| add(&[route])).collect();
        // Wherever the same text stands there, it is the tag that is read; mostly it stands last.
        let at = match remote.ends_with(remote_tag) {
            true => Some(remote.len() - remote_tag.len()),
            false => remote.rfind(remote_tag),
        };
        let remote_tag = at.map_or((0, 0), |at| (at as u32, remote_tag.len() as u32));
        Self { all: all.into(), ends, remote_tag, routes }
    }

    fn between(&self, from: u32, to: u32) -> &str {
        self.all.get(from as usize..to as usize).unwrap_or_default()
    }

    pub(super) fn call_id(&self) -> &str {
        self.between(0, self.ends[0])
    }

    /// Our name-addr with our tag: From of our requests.
    pub(super) fn local(&self) -> &str {
        self.between(self.ends[0], self.ends[1])
    }

    /// The peer's name-addr with its tag: To of our requests.
    pub(super) fn remote(&self) -> &str {
        self.between(self.ends[1], self.ends[2])
    }

    pub(super) fn remote_tag(&self) -> &str {
        let ((at, length), remote) = (self.remote_tag, self.ends[1]);
        self.between(remote + at, remote + at + length)
    }

    /// The peer's Contact URI.
    pub(super) fn remote_target(&self) -> &str {
        self.between(self.ends[2], self.ends[3])
    }

    /// In the order in which our requests visit them.
    pub(super) fn routes(&self) -> impl Iterator<Item = &str> + Clone {
        let starts = std::iter::once(&self.ends[3]).chain(&self.routes);
        std::iter::zip(starts, &self.routes).map(|(from, to)| self.between(*from, *to))
    }

    /// The same with another Contact URI of the peer.
    pub(super) fn with_target(&self, target: &str) -> Self {
        let local = [self.local(), "", ""];
        Self::new(self.call_id(), local, self.remote(), self.remote_tag(), target, self.routes())
    }

    /// The same without the first `count` routes.
    pub(super) fn without_routes(&self, count: usize) -> Self {
        let (local, routes) = ([self.local(), "", ""], self.routes().skip(count));
        let (remote, target) = (self.remote(), self.remote_target());
        Self::new(self.call_id(), local, remote, self.remote_tag(), target, routes)
    }
}
