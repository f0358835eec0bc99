//! The networks that an engine has. People, tools and engines name a network by its name or by its id, and old engines
//! let two networks have one name.

use crate::id;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineNetwork {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Networks(Vec<EngineNetwork>);

/// Why a text does not name one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnresolvedNetwork {
    Gone(String),
    Ambiguous(String),
}

impl Networks {
    pub(crate) fn new(all: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            all.into_iter()
                .map(|(id, name)| EngineNetwork { id, name })
                .collect(),
        )
    }

    /// The network that has this id, or else the one that has this name: a network may have been created anew.
    pub(crate) fn resolve(&self, name: &str, id: Option<&str>) -> Result<&EngineNetwork, UnresolvedNetwork> {
        let by_id = |text: &str| self.0.iter().find(|known| known.is_id(text));
        if let Some(known) = id.and_then(by_id).or_else(|| by_id(name)) {
            return Ok(known);
        }
        let mut named = self.0.iter().filter(|known| known.name == name);
        match (named.next(), named.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(UnresolvedNetwork::Gone(name.to_owned())),
            (Some(_), Some(_)) => Err(UnresolvedNetwork::Ambiguous(name.to_owned())),
        }
    }

    /// Whether only one network has the name.
    pub(crate) fn is_unique(&self, name: &str) -> bool {
        self.0.iter().filter(|known| known.name == name).count() == 1
    }
}

impl EngineNetwork {
    pub(crate) fn is_id(&self, text: &str) -> bool {
        id::is_meant(&self.id, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_found_by_id_and_else_by_a_name_that_only_one_has() {
        let [first, second, other] = ["a", "b", "c"].map(|digit| digit.repeat(64));
        let named = |id: &String, name: &str| (id.clone(), name.to_owned());
        let all = Networks::new([
            named(&first, "twin"),
            named(&second, "twin"),
            named(&other, "media"),
        ]);
        let found = |name: &str, id: Option<&str>| all.resolve(name, id).map(|known| known.id.clone());
        assert_eq!(found("twin", Some(&second)), Ok(second.clone()));
        assert_eq!(found(&first, None), Ok(first.clone()));
        assert_eq!(found(&first[..12], None), Ok(first));
        assert_eq!(found("media", Some("gone")), Ok(other), "it was made anew");
        assert_eq!(
            found("twin", None),
            Err(UnresolvedNetwork::Ambiguous("twin".into()))
        );
        assert_eq!(found("lost", None), Err(UnresolvedNetwork::Gone("lost".into())));
        assert!(all.is_unique("media") && !all.is_unique("twin"));
    }
}
