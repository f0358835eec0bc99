//! Before a program at control's address gets the token, and before its answer is used, it has to prove that it knows
//! the token itself.
//!
//! Another program may listen at control's address: after control's end, any program can take its port. So every
//! connection begins with a question that only control can answer, and the call follows on this very connection.

use crate::{Client, Error};
use flotilla_identity::{ApiKey, ApiToken};
use flotilla_protocol::api::{ControlProof, ProveControl};
use http::StatusCode;
use tokio::net::TcpStream;

/// The longest answer that is read, in bytes. A proof is a few dozen bytes; a program that sends more is not control.
const LONGEST: usize = 4096;

/// Returns the connection once its other end has proved itself.
pub(crate) async fn prove_control(client: &Client, stream: TcpStream) -> Result<TcpStream, Error> {
    let address = stream.peer_addr().map_err(|source| client.unreachable(source))?;
    let question = ProveControl {
        nonce: ApiKey::nonce(),
        token: ApiToken::id_of(client.token()).map(ToOwned::to_owned),
    };
    let http = client.request(&question)?;
    let (status, body, stream) = client.round_trip(stream, http, LONGEST).await?;
    let key = ApiKey::of_token(client.token());
    match serde_json::from_slice::<ControlProof>(&body) {
        Ok(answer) if status.is_success() && key.is_proof(&answer.proof, &question.nonce, address) => {
            Ok(stream)
        }
        // The words of a program that has not proved itself are not repeated.
        _ if status == StatusCode::UNAUTHORIZED && question.token.is_some() => Err(Error::UnknownToken {
            address: client.address().to_owned(),
        }),
        _ => Err(Error::Unproven {
            address: client.address().to_owned(),
        }),
    }
}
