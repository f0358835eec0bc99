//! Which container of a device a person names.

use super::Container;

/// Why a text does not name one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindError {
    NoSuchContainer,
    /// It is the beginning of several ids.
    Several,
}

/// The container that a text names: by id, by name, or by the beginning of an id that only one has.
///
/// # Errors
/// See [`FindError`].
pub fn find_container<'a>(
    containers: impl Iterator<Item = &'a Container> + Clone,
    text: &str,
) -> Result<&'a Container, FindError> {
    let find = |is_it: fn(&Container, &str) -> bool| containers.clone().find(|it| is_it(it, text));
    if let Some(exact) = find(|it, text| it.id == text).or_else(|| find(|it, text| it.name == text)) {
        return Ok(exact);
    }
    let mut beginning = containers.filter(|it| !text.is_empty() && it.id.starts_with(text));
    match (beginning.next(), beginning.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(FindError::Several),
        (None, _) => Err(FindError::NoSuchContainer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn container(id: &str, name: &str) -> Container {
        serde_json::from_value(json!({
            "id": id, "name": name, "image": "", "state": "running", "status": "", "health": "none", "ports": [],
        }))
        .unwrap()
    }

    #[test]
    fn an_id_is_meant_before_a_name_and_a_name_before_the_beginning_of_an_id() {
        let all = [
            container("cafe01", "web"),
            container("cafe02", "db"),
            container("d00d", "cafe"),
            container("beef", "d00d"),
        ];
        let name = |text| find_container(all.iter(), text).map(|it| it.name.as_str());
        for (text, expected) in [
            ("cafe01", Ok("web")),
            ("db", Ok("db")),
            ("cafe", Ok("cafe")),
            ("d00d", Ok("cafe")),
            ("bee", Ok("d00d")),
            ("cafe0", Err(FindError::Several)),
            ("we", Err(FindError::NoSuchContainer)),
            ("", Err(FindError::NoSuchContainer)),
        ] {
            assert_eq!(name(text), expected, "{text:?}");
        }
    }
}
