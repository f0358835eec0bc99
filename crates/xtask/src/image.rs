//! The agent image as one file for `docker load` and `podman load`, written without an engine.
//!
//! The file is an OCI layout and has Docker's own `manifest.json` for the same blobs. Owners and times are zero, so the
//! same program gives the same digests on every machine. An archive has one platform, since an older engine loads only
//! one.

use std::io::Write;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{EntryType, Header};

use crate::bundle::hex_digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Where the agent keeps keys and certificate; a volume, so that a recreated container is the same device.
const STATE: &str = "/var/lib/flotilla";

/// The archive for one architecture, given by the name that engines use: `amd64`, `arm64`.
pub(crate) fn archive(agent: &[u8], architecture: &str, version: &str) -> Result<Vec<u8>> {
    let layer = layer(agent)?;
    let compressed = gzip(&layer)?;
    let config = serde_json::to_vec(&config(architecture, version, &digest(&layer)))?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", &config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", &compressed)],
    }))?;
    let index = index(&manifest, architecture, version);
    let docker = json!([{
        "Config": blob(&config),
        "RepoTags": [tag(version)],
        "Layers": [blob(&compressed)],
    }]);
    let mut archive = tar::Builder::new(Vec::new());
    for content in [&config, &compressed, &manifest] {
        append(&mut archive, EntryType::Regular, &blob(content), 0o644, content)?;
    }
    for (name, value) in [
        ("oci-layout", json!({"imageLayoutVersion": "1.0.0"})),
        ("index.json", index),
        ("manifest.json", docker),
    ] {
        append(
            &mut archive,
            EntryType::Regular,
            name,
            0o644,
            &serde_json::to_vec(&value)?,
        )?;
    }
    Ok(archive.into_inner()?)
}

pub(crate) fn tag(version: &str) -> String {
    format!("flotilla/agent:{version}")
}

/// The root file system: the agent, and the files and directories that a static program still needs.
fn layer(agent: &[u8]) -> Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    append(&mut layer, EntryType::Regular, "flotilla-agent", 0o755, agent)?;
    for (directory, mode) in [
        ("etc/", 0o755),
        ("tmp/", 0o1777),
        ("var/", 0o755),
        ("var/lib/", 0o755),
        ("var/lib/flotilla/", 0o700),
    ] {
        append(&mut layer, EntryType::Directory, directory, mode, &[])?;
    }
    append(
        &mut layer,
        EntryType::Regular,
        "etc/passwd",
        0o644,
        b"root:x:0:0:root:/:/flotilla-agent\n",
    )?;
    Ok(layer.into_inner()?)
}

fn config(architecture: &str, version: &str, layer: &str) -> Value {
    json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Entrypoint": ["/flotilla-agent"],
            "Cmd": ["run"],
            "Env": [format!("FLOTILLA_STATE_DIR={STATE}")],
            "WorkingDir": "/",
            "Volumes": { STATE: {} },
            "Labels": {
                "org.opencontainers.image.title": "Flotilla agent",
                "org.opencontainers.image.version": version,
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [layer] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "cargo xtask" }],
    })
}

fn index(manifest: &[u8], architecture: &str, version: &str) -> Value {
    let mut entry = described(MANIFEST, manifest);
    entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
    entry["annotations"] = json!({
        "io.containerd.image.name": format!("docker.io/{}", tag(version)),
        "org.opencontainers.image.ref.name": version,
    });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    })
}

fn described(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() })
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex_digest(content))
}

fn blob(content: &[u8]) -> String {
    format!("blobs/sha256/{}", hex_digest(content))
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    kind: EntryType,
    name: &str,
    mode: u32,
    content: &[u8],
) -> Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    Ok(archive.append_data(&mut header, name, content)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    fn entries(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(archive);
        let read = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        });
        read.collect()
    }

    #[test]
    fn the_same_binary_gives_the_same_archive() {
        assert_eq!(
            archive(b"elf", "amd64", "1.2.3").unwrap(),
            archive(b"elf", "amd64", "1.2.3").unwrap()
        );
    }

    #[test]
    fn every_digest_names_a_blob_that_has_it() {
        let files = entries(&archive(b"elf", "arm64", "1.2.3").unwrap());
        let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
        let docker: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        let of = |digest: &Value| &files[&format!("blobs/{}", digest.as_str().unwrap().replace(':', "/"))];
        let manifest: Value = serde_json::from_slice(of(&index["manifests"][0]["digest"])).unwrap();
        let config: Value = serde_json::from_slice(of(&manifest["config"]["digest"])).unwrap();
        let mut layer = Vec::new();
        let compressed = of(&manifest["layers"][0]["digest"]);
        flate2::read::GzDecoder::new(compressed.as_slice())
            .read_to_end(&mut layer)
            .unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&layer));
        assert_eq!(config["architecture"], "arm64");
        assert_eq!(docker[0]["Config"], blob(of(&manifest["config"]["digest"])));
        assert_eq!(docker[0]["RepoTags"], json!(["flotilla/agent:1.2.3"]));
    }

    #[test]
    fn the_state_directory_is_private_and_the_agent_executable() {
        let layer = layer(b"elf").unwrap();
        let mut archive = tar::Archive::new(layer.as_slice());
        let modes = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            (
                entry.path().unwrap().display().to_string(),
                entry.header().mode().unwrap(),
            )
        });
        let modes: BTreeMap<_, _> = modes.collect();
        assert_eq!(modes["var/lib/flotilla/"], 0o700);
        assert_eq!(modes["flotilla-agent"], 0o755);
        assert_eq!(modes["tmp/"], 0o1777);
    }
}
