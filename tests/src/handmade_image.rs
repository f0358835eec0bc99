//! Images written by hand, for what no builder writes: any creation date or none, and a registry that serves one image.

use anyhow::Result;
use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// See [`HandmadeImage::serve`].
pub const INDEX: &str = "many";

/// An image with one small file.
#[derive(Debug)]
pub struct HandmadeImage {
    config: Vec<u8>,
    layer: Vec<u8>,
}

impl HandmadeImage {
    /// An image with `created` as the text of its creation date, valid or not, or without that field.
    pub fn new(created: Option<&str>) -> Result<Self> {
        let layer = archive(&[("file", b"x")])?;
        let mut config = json!({
            "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/file"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        });
        if let Some(created) = created {
            config["created"] = Value::from(created);
        }
        Ok(Self {
            config: serde_json::to_vec(&config)?,
            layer,
        })
    }

    /// The archive of the image under this name, for `docker load`.
    pub fn archive(&self, name: &str) -> Result<Vec<u8>> {
        let config = format!("{}.json", digest(&self.config).trim_start_matches("sha256:"));
        let manifest = json!([{"Config": config, "RepoTags": [name], "Layers": ["layer.tar"]}]);
        archive(&[
            (&config, &self.config),
            ("layer.tar", &self.layer),
            ("manifest.json", &serde_json::to_vec(&manifest)?),
        ])
    }

    /// Serves the image as every tag and digest of this repository; returns its digest. Under the tag [`INDEX`] it is one
    /// of the platforms of an index. Call it inside a runtime.
    pub fn serve(&self, repository: &str, listener: TcpListener) -> Result<String> {
        let part =
            |kind: &str, data: &[u8]| json!({"mediaType": kind, "size": data.len(), "digest": digest(data)});
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": part("application/vnd.docker.container.image.v1+json", &self.config),
            "layers": [part("application/vnd.docker.image.rootfs.diff.tar", &self.layer)],
        }))?;
        let digest_of_manifest = digest(&manifest);
        let of = |architecture: &str, digest: &str| {
            json!({"mediaType": MANIFEST, "size": manifest.len(), "digest": digest,
                "platform": {"architecture": architecture, "os": "linux"}})
        };
        let index = serde_json::to_vec(&json!({
            "schemaVersion": 2, "mediaType": LIST,
            "manifests": [of("amd64", &digest_of_manifest), of("s390x", &digest(b"of another computer"))],
        }))?;
        let answer = |data: &[u8]| {
            let data = Bytes::copy_from_slice(data);
            get(async move || data)
        };
        let of_index = [INDEX.to_owned(), digest(&index)];
        let [manifest, index] = [(MANIFEST, manifest), (LIST, index)].map(|(kind, data)| {
            let head = [
                (CONTENT_TYPE.as_str(), kind.to_owned()),
                ("docker-content-digest", digest(&data)),
            ];
            (head, Bytes::from(data))
        });
        let manifest = get(async move |Path(version): Path<String>| {
            let is_index = of_index.contains(&version);
            if is_index { index } else { manifest }.into_response()
        });
        let at = |what: &str| format!("/v2/{repository}/{what}");
        let router = Router::new()
            .route("/v2/", get(async || "{}"))
            .route(&at("manifests/{version}"), manifest)
            .route(
                &at(&format!("blobs/{}", digest(&self.config))),
                answer(&self.config),
            )
            .route(
                &at(&format!("blobs/{}", digest(&self.layer))),
                answer(&self.layer),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(digest_of_manifest)
    }
}

fn digest(data: &[u8]) -> String {
    let sum = Sha256::digest(data);
    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn archive(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, data) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        tar.append_data(&mut header, path, *data)?;
    }
    Ok(tar.into_inner()?)
}
