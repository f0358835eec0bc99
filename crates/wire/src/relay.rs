//! The proofs that a client and a relay give each other, and the change that a relay makes to a data frame.

use crate::{
    DATA_HEADER_LEN, address,
    frame::{Data, Frame, SessionId, Welcome},
    key::{StaticKey, WeakKey, expand},
};
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use flotilla_protocol::key::PublicKey;
use std::net::SocketAddr;

const LABEL: &[u8] = b"flotilla relay v1";
const HELLO: &[u8] = b"hello";
const WELCOME: &[u8] = b"welcome";

/// A value that a relay sends to an address, and expects back from it.
#[derive(Clone, Copy, PartialEq, Eq, derive_more::Debug)]
#[debug("Cookie(…)")]
pub struct Cookie(pub [u8; 32]);

impl Cookie {
    /// The cookie in a client's first hello.
    pub const NONE: Self = Self([0; 32]);
}

/// HMAC-SHA256 under a key that only a client and its relay can compute.
#[derive(Clone, Copy, PartialEq, Eq, derive_more::Debug)]
#[debug("Proof(…)")]
pub struct Proof(pub [u8; 32]);

impl Proof {
    /// The proof in a client's first hello.
    pub const NONE: Self = Self([0; 32]);
}

/// The key that a client and a relay share. A device that runs a relay may also be its client. Without the client's
/// private key a ticket is useless.
#[derive(derive_more::Debug)]
#[debug("RelayKey(redacted)")]
pub struct RelayKey(Key);

impl RelayKey {
    /// The key as the client computes it.
    ///
    /// The relay's key leads to no secret.
    pub fn of_client(own: &StaticKey, relay: PublicKey) -> Result<Self, WeakKey> {
        let secret = own.shared(relay, LABEL)?;
        Ok(Self(expand(&secret, [own.public(), relay], HMAC_SHA256)))
    }

    /// The key as the relay computes it.
    ///
    /// The client's key leads to no secret.
    pub fn of_relay(own: &StaticKey, client: PublicKey) -> Result<Self, WeakKey> {
        let secret = own.shared(client, LABEL)?;
        Ok(Self(expand(&secret, [client, own.public()], HMAC_SHA256)))
    }

    /// The proof in a client's second hello.
    #[must_use]
    pub fn prove_hello(&self, tx: u64, cookie: &Cookie, ticket: &[u8]) -> Proof {
        self.sign(&[HELLO, &tx.to_be_bytes(), &cookie.0, ticket])
    }

    /// Whether the holder of the client's key made this hello for this relay.
    #[must_use]
    pub fn hello_is_good(&self, hello: &crate::Hello<'_>) -> bool {
        let expected = self.prove_hello(hello.tx, &hello.cookie, hello.ticket);
        same(&expected, &hello.proof)
    }

    /// The relay's welcome, with its proof.
    pub fn welcome(
        &self,
        tx: u64,
        session: SessionId,
        keepalive_seconds: u16,
        observed: SocketAddr,
    ) -> Welcome {
        let fields = [tx.to_be_bytes(), session.0.to_be_bytes()];
        let keepalive = keepalive_seconds.to_be_bytes();
        let proof = self.sign(&[
            WELCOME,
            fields.as_flattened(),
            &keepalive,
            &address::encode(observed),
        ]);
        Welcome {
            tx,
            session,
            keepalive_seconds,
            observed,
            proof,
        }
    }

    /// Whether the relay with this key made this welcome.
    #[must_use]
    pub fn welcome_is_good(&self, welcome: &Welcome) -> bool {
        let expected = self.welcome(
            welcome.tx,
            welcome.session,
            welcome.keepalive_seconds,
            welcome.observed,
        );
        same(&expected.proof, &welcome.proof)
    }

    fn sign(&self, fields: &[&[u8]]) -> Proof {
        let mut context = Context::with_key(&self.0);
        fields.iter().for_each(|field| context.update(field));
        let mut proof = Proof::NONE;
        proof.0.copy_from_slice(context.sign().as_ref());
        proof
    }
}

fn same(a: &Proof, b: &Proof) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(&a.0, &b.0).is_ok()
}

/// Turns a data frame from one client into the one for another, in place: the session becomes the receiver's and
/// the key the sender's. `false`, and nothing changed, when the bytes are no data frame.
pub fn readdress(datagram: &mut [u8], session: SessionId, source: PublicKey) -> bool {
    if !matches!(Frame::parse(datagram), Ok(Frame::Data(_))) {
        return false;
    }
    let Some(header) = datagram.first_chunk_mut::<DATA_HEADER_LEN>() else {
        return false;
    };
    *header = Data {
        session,
        key: source,
        payload: &[],
    }
    .header();
    true
}
