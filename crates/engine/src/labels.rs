//! Which labels of a container are its own, and which its image's. Engines show both together, and anyone can write an
//! image: labels of Flotilla, Compose or a swarm in it were not set by them.

use bollard::{Docker, errors::Error, models::ContainerInspectResponse};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::HashMap;

/// Prefixes of the labels by which Flotilla marks containers.
const OURS: [&str; 2] = ["app.flotilla.", "io.flotilla."];

/// Prefix of Compose's labels.
const COMPOSES: &str = "com.docker.compose.";

/// Prefix of the labels by which a swarm marks its containers, and the label that names the swarm's service.
const SWARMS: &str = "com.docker.swarm.";
pub(crate) const SWARM_SERVICE: &str = "com.docker.swarm.service.name";

type Labels = HashMap<String, String>;

/// Removes those of our labels from a container's description that are its image's.
///
/// # Errors
/// The engine does not answer. That it knows no such image is no error.
pub(crate) async fn keep_own(docker: &Docker, answer: &mut ContainerInspectResponse) -> Result<(), Error> {
    let labels = answer.config.as_mut().and_then(|config| config.labels.as_mut());
    let Some(labels) = labels.filter(|labels| labels.keys().any(|key| is_ours(key) || is_composes(key)))
    else {
        return Ok(());
    };
    let image = answer.image.as_deref().unwrap_or_default();
    let of_image = match docker.inspect_image(image).await {
        Ok(image) => Some(image.config.and_then(|config| config.labels).unwrap_or_default()),
        Err(
            Error::DockerResponseServerError { .. }
            | Error::JsonDataError { .. }
            | Error::JsonSerdeError { .. },
        ) => None,
        Err(error) => return Err(error),
    };
    keep(labels, of_image.as_ref());
    Ok(())
}

/// Removes them from labels as an engine writes them.
pub(crate) fn keep_in(labels: &mut Value, of_image: &Labels) {
    let Ok(mut all) = Labels::deserialize(&*labels) else {
        return;
    };
    keep(&mut all, Some(of_image));
    if let Some(labels) = labels.as_object_mut() {
        labels.retain(|key, _| all.contains_key(key));
    }
}

/// Removes labels that may be the image's. When the image is gone, `of_image` is unknown: then a label of ours is
/// removed, because it may stop a person from stopping the container, and Compose's stays, because it only says where
/// the container is listed.
fn keep(labels: &mut Labels, of_image: Option<&Labels>) {
    let is_images = |key: &String, value: &String| of_image.map(|image| image.get(key) == Some(value));
    labels.retain(|key, value| !is_ours(key) || is_images(key, value) == Some(false));
    // Compose labels the images that it builds with the same project and service. It labels a container with more, so a
    // container without any label of its own was not made by Compose.
    let is_own = |(key, value): (&String, &String)| is_composes(key) && is_images(key, value) != Some(true);
    if !labels.iter().any(is_own) {
        labels.retain(|key, _| !is_composes(key));
    }
}

/// Whether a label may keep a person from doing something to a container; a swarm's may, too.
fn is_ours(key: &str) -> bool {
    OURS.iter().any(|prefix| key.starts_with(prefix)) || key.starts_with(SWARMS)
}

fn is_composes(key: &str) -> bool {
    key.starts_with(COMPOSES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AGENT_LABEL, attachment::BEFORE_POD, pod::POD_LABEL};

    fn labels(all: &[(&str, &str)]) -> Labels {
        let all = all
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        all.collect()
    }

    /// The keys that remain of a container's labels.
    fn kept(container: &[(&str, &str)], image: Option<&[(&str, &str)]>) -> Vec<String> {
        let mut all = labels(container);
        keep(&mut all, image.map(labels).as_ref());
        let mut keys: Vec<_> = all.into_keys().collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_mark_of_ours_counts_where_the_image_does_not_say_the_same() {
        let marks = [
            (AGENT_LABEL, "true"),
            (BEFORE_POD, r#"{"mode":"host"}"#),
            (POD_LABEL, "pause"),
            ("tier", "front"),
        ];
        assert_eq!(kept(&marks, Some(&marks)), ["tier"]);
        assert_eq!(kept(&marks, None), ["tier"], "whose they are is unknown");
        assert_eq!(kept(&marks, Some(&[])).len(), 4);
        let other = [(BEFORE_POD, r#"{"mode":"none"}"#)];
        assert_eq!(kept(&marks[1..2], Some(&other)), [BEFORE_POD], "it was said over");
    }

    #[test]
    fn a_stack_is_what_compose_made_and_not_what_an_image_says() {
        let built = [
            ("com.docker.compose.project", "media"),
            ("com.docker.compose.service", "web"),
        ];
        let made = [built[0], built[1], ("com.docker.compose.container-number", "1")];
        assert_eq!(kept(&built, Some(&built)), Vec::<String>::new());
        assert_eq!(kept(&made, Some(&made)), Vec::<String>::new());
        assert_eq!(kept(&made, Some(&built)).len(), 3, "an image that Compose built");
        assert_eq!(kept(&made, Some(&[])).len(), 3);
        assert_eq!(kept(&made, None).len(), 3);
    }
}
