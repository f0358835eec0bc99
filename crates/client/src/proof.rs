//! Nobody is shown the token, and nobody's answer is believed, before it has shown that it knows the token itself.
//!
//! Whoever listens at control's address may be somebody else: after control's end its port is free for all. So every
//! connection begins with a question that only control can answer, and the call follows on this very connection.

use crate::{Client, Error};
use flotilla_identity::ApiKey;
use flotilla_protocol::api::{ControlProof, ProveControl};
use tokio::net::TcpStream;

/// A proof is a few dozen bytes; whoever says more is not control, and is not listened to.
const LONGEST: usize = 4096;

/// The connection, once its other end has proved itself.
pub(crate) async fn proven(client: &Client, stream: TcpStream) -> Result<TcpStream, Error> {
    let asked = stream.peer_addr().map_err(|source| client.unreachable(source))?;
    let question = ProveControl {
        nonce: ApiKey::nonce(),
    };
    let http = client.request(&question)?;
    let (status, body, stream) = client.converse(stream, http, LONGEST).await?;
    let key = ApiKey::of_token(client.token());
    match serde_json::from_slice::<ControlProof>(&body) {
        Ok(answer) if status.is_success() && key.is_proof(&answer.proof, &question.nonce, asked) => {
            Ok(stream)
        }
        _ => Err(Error::Unproven {
            address: client.address().to_owned(),
        }),
    }
}
