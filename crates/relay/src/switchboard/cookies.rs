//! Cookies: a client that returns one proves that it receives at its address, and the relay keeps nothing about it.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use flotilla_wire::Cookie;
use rand::{RngCore, rngs::StdRng};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// A cookie is valid for one to two rotations.
const ROTATION: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Cookies {
    current: Key,
    previous: Key,
    since: Instant,
}

impl Cookies {
    pub(super) fn new(random: &mut StdRng, now: Instant) -> Self {
        Self {
            current: secret(random),
            previous: secret(random),
            since: now,
        }
    }

    pub(super) fn rotate(&mut self, random: &mut StdRng, now: Instant) {
        if now.saturating_duration_since(self.since) >= ROTATION {
            self.previous = std::mem::replace(&mut self.current, secret(random));
            self.since = now;
        }
    }

    pub(super) fn cookie_for(&self, address: SocketAddr) -> Cookie {
        sign_address(&self.current, address)
    }

    pub(super) fn is_good(&self, cookie: &Cookie, address: SocketAddr) -> bool {
        [&self.current, &self.previous]
            .into_iter()
            .any(|secret| is_equal(cookie, &sign_address(secret, address)))
    }
}

/// A random cookie for one TLS leg.
pub(super) fn fresh(random: &mut StdRng) -> Cookie {
    let mut cookie = Cookie::NONE;
    random.fill_bytes(&mut cookie.0);
    cookie
}

pub(super) fn is_equal(a: &Cookie, b: &Cookie) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(&a.0, &b.0).is_ok()
}

fn secret(random: &mut StdRng) -> Key {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    Key::new(HMAC_SHA256, &bytes)
}

fn sign_address(secret: &Key, address: SocketAddr) -> Cookie {
    let ip = match address {
        SocketAddr::V4(v4) => v4.ip().to_ipv6_mapped(),
        SocketAddr::V6(v6) => *v6.ip(),
    };
    let message = [&ip.octets()[..], &address.port().to_be_bytes()].concat();
    let mut cookie = Cookie::NONE;
    cookie.0.copy_from_slice(sign(secret, &message).as_ref());
    cookie
}
