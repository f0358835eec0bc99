//! Which image a container runs. Engines name images in several ways, and a container may know its image by another one
//! than the list does: by the id of a platform's part, by a digest, or by a name alone.
//!
//! People remove images that are called unused here. So an image is called unused only where the image of every container
//! is known by its id. A container that is found by a name alone may run another image that had that name before, and
//! one whose image was removed by force looks the same as one whose image has an id of another kind. Where there is
//! one of them, the count of an image that no container is known to use is unknown.

use crate::id;
use flotilla_protocol::inventory::{Container, Image};
use std::collections::BTreeMap;

/// Places of images by everything that a container may name them by.
struct Index<'a> {
    /// Ids, and digests without their repositories.
    ids: BTreeMap<&'a str, usize>,
    names: BTreeMap<String, usize>,
}

/// Counts the containers of each image; `None` where the figure would be a guess.
pub(crate) fn count(images: &mut [Image], containers: &[Container]) {
    let mut counts = vec![0u32; images.len()];
    let index = Index::of(images);
    let mut all_by_id = true;
    for container in containers {
        let found = index.by_id(container);
        all_by_id &= found.is_some();
        if let Some(image) = found.or_else(|| index.by_name(container)) {
            counts[image] = counts[image].saturating_add(1);
        }
    }
    for (image, count) in images.iter_mut().zip(counts) {
        image.used_by = (all_by_id || count > 0).then_some(count);
    }
}

impl<'a> Index<'a> {
    fn of(images: &'a [Image]) -> Self {
        let (mut ids, mut names) = (BTreeMap::new(), BTreeMap::new());
        for (place, image) in images.iter().enumerate() {
            for digest in image
                .digests
                .iter()
                .filter_map(|digest| Some(digest.split_once('@')?.1))
            {
                ids.insert(digest, place);
            }
            names.extend(image.tags.iter().map(|tag| (full(tag), place)));
        }
        // Ids come last, so that an id wins over a digest of another image.
        ids.extend(
            images
                .iter()
                .enumerate()
                .map(|(place, image)| (image.id.as_str(), place)),
        );
        Self { ids, names }
    }

    fn by_id(&self, container: &Container) -> Option<usize> {
        self.ids.get(container.image_id.as_str()).copied()
    }

    /// The image that the container was started from by name, by digest, by id, or by the beginning of an id.
    fn by_name(&self, container: &Container) -> Option<usize> {
        let name = container.image.as_str();
        if let Some((_, digest)) = name.split_once('@') {
            return self.ids.get(digest).copied();
        }
        self.names
            .get(&full(name))
            .copied()
            .or_else(|| self.by_part_of_id(name))
    }

    fn by_part_of_id(&self, name: &str) -> Option<usize> {
        let hex = name.strip_prefix("sha256:").unwrap_or(name);
        if hex.len() < id::SHORT || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let start = format!("sha256:{hex}");
        let (id, place) = self.ids.range(start.as_str()..).next()?;
        id.starts_with(&start).then_some(*place)
    }
}

/// `nginx` is short for `docker.io/library/nginx:latest`.
fn full(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OTHER_KIND: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    fn image(id: &str, tags: &[&str], digests: &[&str]) -> Image {
        serde_json::from_value(json!({"id": id, "tags": tags, "digests": digests, "size_bytes": 1})).unwrap()
    }

    fn container(image_id: &str, image: &str) -> Container {
        serde_json::from_value(json!({
            "id": "1", "name": "a", "image": image, "image_id": image_id, "state": "running", "status": "", "health": "none", "ports": [],
        }))
        .unwrap()
    }

    fn counted(containers: &[Container]) -> Vec<Option<u32>> {
        let mut images = [
            image("sha256:aaaaaaaaaaaa11", &["nginx:latest"], &["nginx@sha256:d1"]),
            image("sha256:bbbbbbbbbbbb22", &[], &["reg:5000/team/app@sha256:d2"]),
            image("sha256:cccccccccccc33", &["reg:5000/job:1"], &[]),
        ];
        count(&mut images, containers);
        images.map(|image| image.used_by).into()
    }

    #[test]
    fn an_image_is_found_by_its_id_and_by_its_digest() {
        let containers = [
            container("sha256:aaaaaaaaaaaa11", "whatever"),
            container("sha256:d2", "whatever"),
        ];
        assert_eq!(counted(&containers), [Some(1), Some(1), Some(0)]);
    }

    #[test]
    fn ids_of_another_kind_leave_names_and_no_image_is_called_unused() {
        for name in [
            "nginx",
            "nginx:latest",
            "docker.io/library/nginx",
            "nginx@sha256:d1",
            "aaaaaaaaaaaa",
            "sha256:aaaaaaaaaaaa11",
        ] {
            assert_eq!(
                counted(&[container(OTHER_KIND, name)]),
                [Some(1), None, None],
                "{name}"
            );
        }
        let job = container(OTHER_KIND, "reg:5000/job:1");
        assert_eq!(counted(&[job]), [None, None, Some(1)]);
        for name in ["nginx:1.29", "reg:5000/job", "aaaa", "gone@sha256:ff"] {
            assert_eq!(counted(&[container(OTHER_KIND, name)]), [None; 3], "{name}");
        }
    }

    #[test]
    fn where_the_ids_are_of_two_kinds_no_image_is_called_unused() {
        let by_id = container("sha256:aaaaaaaaaaaa11", "nginx");
        // Its tag leads to an image that came later, or nowhere; what it runs may be any of the others.
        for (name, counts) in [
            ("reg:5000/job:1", [Some(1), None, Some(1)]),
            ("nginx", [Some(2), None, None]),
            ("moved:1", [Some(1), None, None]),
        ] {
            let containers = [by_id.clone(), container(OTHER_KIND, name)];
            assert_eq!(counted(&containers), counts, "{name}");
        }
        assert_eq!(counted(&[]), [Some(0); 3]);
    }
}
