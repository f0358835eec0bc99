//! Buffers in which runs of datagrams are received.

use crate::socket::Route;
use quinn_udp::RecvMeta;
use std::io::IoSliceMut;

/// The most bytes of a run; a shorter buffer would silently cut its end off.
const LARGEST_RUN: usize = 65_536;

/// Buffers for `RUNS` runs, the most that one call receives.
#[derive(Debug)]
pub struct Inbox<const RUNS: usize> {
    buffers: [Box<[u8]>; RUNS],
    metas: [RecvMeta; RUNS],
    count: usize,
}

/// One run as it was received.
#[derive(Debug)]
pub struct Received<'a> {
    pub from: Route,
    pub run: &'a mut [u8],
    /// Length of each datagram but the last, which may be shorter; at least 1.
    pub size: usize,
}

impl<const RUNS: usize> Default for Inbox<RUNS> {
    fn default() -> Self {
        Self {
            buffers: std::array::from_fn(|_| vec![0; LARGEST_RUN].into_boxed_slice()),
            metas: [RecvMeta::default(); RUNS],
            count: 0,
        }
    }
}

impl<const RUNS: usize> Inbox<RUNS> {
    /// The runs that the last [`Socket::receive`](crate::Socket::receive) brought.
    pub fn runs(&mut self) -> impl Iterator<Item = Received<'_>> {
        let runs = self.buffers.iter_mut().zip(&self.metas).take(self.count);
        runs.map(|(buffer, meta)| Received {
            from: Route {
                remote: meta.addr,
                local: meta.dst_ip,
            },
            run: &mut buffer[..meta.len.min(LARGEST_RUN)],
            size: meta.stride.max(1),
        })
    }

    /// Lets `receive` fill the buffers and return how many runs came.
    pub(crate) fn fill<E>(
        &mut self,
        receive: impl FnOnce(&mut [IoSliceMut<'_>], &mut [RecvMeta]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.count = 0;
        let mut buffers = self.buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
        let count = receive(&mut buffers, &mut self.metas)?;
        self.count = count;
        Ok(count)
    }
}
