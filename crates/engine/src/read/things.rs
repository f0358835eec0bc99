//! Images, volumes and networks, each row by itself: an unreadable row costs the others nothing.

use super::{
    compose,
    listed::{date, text, texts_of},
    state,
};
use flotilla_protocol::{
    Timestamp,
    inventory::{Image, Network, Volume},
};
use serde_json::Value;

/// The rows of a list, or of a list that an object has under `name`.
pub(crate) fn rows<T>(answer: &Value, name: &str, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    let rows = answer.as_array().or_else(|| answer.get(name)?.as_array());
    rows.into_iter().flatten().filter_map(read).collect()
}

pub(crate) fn image(row: &Value, now: Timestamp) -> Option<Image> {
    Some(Image {
        id: text(row, "Id")?.to_owned(),
        tags: tags(&row["RepoTags"]),
        digests: references(&row["RepoDigests"]),
        size_bytes: row["Size"].as_u64().unwrap_or(0),
        created: date(&row["Created"]).and_then(|date| state::creation_date(date, now)),
        used_by: None,
    })
}

/// Where containerd holds the images, an image that was asked for by its digest has the digest among its tags as well.
fn tags(value: &Value) -> Vec<String> {
    let mut tags = references(value);
    tags.retain(|tag| !tag.contains('@'));
    tags
}

/// The references without `<none>`, which engines write where there is none.
fn references(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts
        .filter(|text| !text.contains("<none>"))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn volume(row: &Value) -> Option<Volume> {
    let labels = texts_of(&row["Labels"]);
    Some(Volume {
        name: text(row, "Name")?.to_owned(),
        driver: text(row, "Driver").unwrap_or_default().to_owned(),
        mountpoint: text(row, "Mountpoint").unwrap_or_default().to_owned(),
        created: state::date(text(row, "CreatedAt")),
        used_by: Vec::new(),
        stack: labels.get(compose::PROJECT).cloned(),
        labels: labels.into_iter().collect(),
    })
}

pub(crate) fn network(row: &Value) -> Option<Network> {
    let id = text(row, "Id").or_else(|| text(row, "Name"))?;
    let pools = row["IPAM"]["Config"].as_array().into_iter().flatten();
    let is = |key: &str| row[key].as_bool().unwrap_or(false);
    Some(Network {
        id: id.to_owned(),
        name: text(row, "Name").unwrap_or(id).to_owned(),
        driver: text(row, "Driver").unwrap_or_default().to_owned(),
        subnets: pools
            .filter_map(|pool| Some(text(pool, "Subnet")?.to_owned()))
            .collect(),
        containers: Vec::new(),
        stack: text(&row["Labels"], compose::PROJECT).map(str::to_owned),
        internal: is("Internal"),
        attachable: is("Attachable"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Timestamp {
        "2026-11-30T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn dangling_images_have_no_tags_and_odd_sizes_are_exact_or_nothing() {
        let dangling = json!({"Id": "sha256:aa", "RepoTags": ["<none>:<none>"], "RepoDigests": ["nginx@<none>"], "Size": -1, "Created": 0});
        let dangling = image(&dangling, now()).unwrap();
        assert_eq!(
            (dangling.tags.len(), dangling.digests.len(), dangling.size_bytes),
            (0, 0, 0)
        );
        assert_eq!(dangling.created, None);
        let huge =
            json!({"Id": "sha256:aa", "RepoTags": null, "Size": 9_007_199_254_740_993u64, "Containers": -1});
        assert_eq!(image(&huge, now()).unwrap().size_bytes, 9_007_199_254_740_993);
    }

    #[test]
    fn a_digest_among_the_tags_is_no_tag() {
        let row = json!({"Id": "sha256:aa", "RepoTags": ["h:5000/a@sha256:d1", "h:5000/a:1"], "RepoDigests": ["h:5000/a@sha256:d1"]});
        let image = image(&row, now()).unwrap();
        assert_eq!(image.tags, ["h:5000/a:1"]);
        assert_eq!(image.digests, ["h:5000/a@sha256:d1"]);
    }

    #[test]
    fn a_row_that_is_none_costs_the_others_nothing() {
        let list = json!([{"Id": 7}, null, {"Id": "sha256:aa", "Size": "much"}]);
        assert_eq!(rows(&list, "", |row| image(row, now())).len(), 1);
        let volumes =
            json!({"Volumes": [{"Name": ""}, {"Name": "pg", "Labels": {"a": 1}}], "Warnings": null});
        let volumes = rows(&volumes, "Volumes", volume);
        assert_eq!((volumes.len(), volumes[0].name.as_str()), (1, "pg"));
        assert!(rows(&json!({"Volumes": null}), "Volumes", volume).is_empty());
        let networks = json!([{"Name": "bridge", "Id": "n1", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}, {}]}}, {}]);
        assert_eq!(rows(&networks, "", network)[0].subnets, ["172.17.0.0/16"]);
    }
}
