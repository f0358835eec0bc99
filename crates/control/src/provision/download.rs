//! Answers of `/install/*`: the rendered script, and files streamed from disk.

use super::{Builds, install_script};
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use flotilla_protocol::{Code, Problem, endpoint::Endpoint, enroll::ConfigFile, pin::Pin};
use std::path::Path;
use tokio_util::io::ReaderStream;

/// The installer for one device. It holds the token, so no cache on the way may store it.
pub(crate) async fn script(
    config: &ConfigFile,
    endpoint: &Endpoint,
    tls_pin: &Pin,
    builds: &Builds,
) -> Result<Response, Problem> {
    let text = script_text(config, endpoint, tls_pin, builds).await?;
    Ok(answer(Body::from(text), "text/x-shellscript; charset=utf-8"))
}

/// The installer's text, for an SSH install, which carries it to the device.
pub(crate) async fn script_text(
    config: &ConfigFile,
    endpoint: &Endpoint,
    tls_pin: &Pin,
    builds: &Builds,
) -> Result<String, Problem> {
    let reader = builds.clone();
    let digests = tokio::task::spawn_blocking(move || reader.digests()).await;
    let digests = digests.map_err(|_| unreadable("The agents"))?;
    Ok(install_script(config, endpoint, tls_pin, &digests))
}

/// An agent's program or image.
pub(crate) async fn file(path: &Path) -> Result<Response, Problem> {
    let failed = |_| unreadable("This agent");
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    let mut response = answer(
        Body::from_stream(ReaderStream::new(file)),
        "application/octet-stream",
    );
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

fn answer(body: Body, content_type: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

fn unreadable(what: &str) -> Problem {
    Code::Unavailable.because(format!(
        "{what} can't be read on the controller. Check the folder given by --agents-dir."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::tests::{config, pin};
    use flotilla_protocol::device::NetworkMode;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn the_script_is_stored_nowhere_and_holds_its_own_token() {
        let config = config(NetworkMode::Host);
        let endpoint = "nas.lan:7443".parse().unwrap();
        let response = script(&config, &endpoint, &pin('T'), &Builds::default())
            .await
            .unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("CONTROL=https://nas.lan:7443\n") && text.contains(&config.token));
    }

    #[tokio::test]
    async fn a_file_is_streamed_with_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let response = file(&path).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "100000");
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes().len(),
            100_000
        );
        assert_eq!(
            file(&dir.path().join("gone")).await.unwrap_err().code,
            Code::Unavailable
        );
    }
}
