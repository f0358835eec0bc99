//! A stream for tests: numbers at full speed, and what its caller says.

use super::rig::Seen;
use crate::stream::{Opened, answer};
use axum::{
    Router,
    body::Body,
    extract::State,
    response::Response,
    routing::{any, post},
};
use bytes::Bytes;
use flotilla_protocol::{
    Code,
    stream::{End, Malformed, Payload, Streaming},
};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

/// Numbers from one on, each with bytes of all values behind it.
#[derive(Debug)]
pub(super) enum Numbers {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) from: u64,
    /// The first number that is not sent; after it the stream ends, or waits to be talked to.
    pub(super) most: u64,
    /// How many bytes follow each number.
    pub(super) width: usize,
    /// Whether what the caller says is sent back afterwards, until it says no more.
    pub(super) listens: bool,
}

#[derive(Debug, PartialEq)]
pub(super) struct Block {
    pub(super) number: u64,
    bytes: Bytes,
}

impl Block {
    pub(super) fn new(number: u64, width: usize) -> Self {
        let bytes = (0..width).map(|at| (number as usize + at) as u8).collect();
        Self { number, bytes }
    }
}

impl Payload for Block {
    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        let number = self.number.to_be_bytes();
        Ok((3, [&number, &self.bytes[..]].concat().into()))
    }

    fn read(_: u8, body: &Bytes) -> Result<Option<Self>, Malformed> {
        let number = body.first_chunk().ok_or(Malformed::Body("no number".into()))?;
        Ok(Some(Self {
            number: u64::from_be_bytes(*number),
            bytes: body.slice(8..),
        }))
    }
}

impl Streaming for Numbers {
    type At = &'static str;
    type Open = Wanted;
    type Up = Block;
    type Item = Block;
    type End = u64;
    const PATH: &'static str = "/numbers/{kind}";

    fn path(kind: &&'static str) -> String {
        format!("/numbers/{kind}")
    }

    fn advance(open: &mut Wanted, block: &Block) {
        open.from = block.number + 1;
    }
}

pub(super) fn routes() -> Router<Seen> {
    Router::new()
        .route("/numbers/count", post(count))
        .route(
            "/numbers/garble",
            any(async || Body::from("GET / HTTP/1.1\r\n\r\n")),
        )
        .route(
            "/numbers/cut",
            any(async || Body::from(&[0, 0, 0, 9, 16, 1, 2][..])),
        )
        .route("/numbers/deceive", post(deceive))
}

async fn count(State(seen): State<Seen>, Opened { open, mut up }: Opened<Numbers>) -> Response {
    let alive = seen.guard();
    answer::<Numbers, _>(CancellationToken::new(), |mut out| async move {
        let _alive = alive;
        for number in open.from..open.most {
            if let Err(malformed) = out.send(&Block::new(number, open.width)).await {
                return malformed.into();
            }
            seen.calls.fetch_add(1, Ordering::SeqCst);
        }
        let over = End::Finished { outcome: open.most };
        if !open.listens {
            return over;
        }
        loop {
            match up.next().await {
                Ok(Some(said)) => {
                    if let Err(malformed) = out.send(&said).await {
                        return malformed.into();
                    }
                }
                Ok(None) => return over,
                Err(malformed) => return malformed.into(),
            }
        }
    })
}

/// Says that the caller may not, and why not, in words that steer a terminal.
async fn deceive(Opened { open, .. }: Opened<Numbers>) -> Response {
    answer::<Numbers, _>(CancellationToken::new(), |_out| async move {
        match open.from {
            0 => End::NotAllowed,
            _ => Code::Unauthenticated.because("no\u{1b}[2J").into(),
        }
    })
}
